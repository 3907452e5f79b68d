#!/usr/bin/env bash
# The half-termly run: check the extracts, watch the champions, write lists and the dashboard, and
# train challengers. It promotes nothing: a person reads the backtest first (riskmodel promote).
#
#   half_term.sh SETTINGS-FILE
#
# The file sets EXTRACTS, OUT, TRACKING, SETTINGS, CAPACITY and OUTCOMES; half_term.conf is an example.
# Ends with 0 when all is done, with 1 at the first step that could not be done; its sentence is the
# last line. The run's folder has its final name only when everything in it is whole.
set -euo pipefail
umask 077

# shellcheck source=/dev/null
source "${1:?name a settings file, such as deploy/half_term.conf}"
: "${EXTRACTS:?}" "${OUT:?}" "${TRACKING:?}" "${SETTINGS:?}" "${CAPACITY:?}" "${OUTCOMES:?}"

done=$OUT/$(date +%F)
run=$done.unfinished
mkdir -p "$OUT"
exec 9>"$OUT/.lock"
flock --nonblock 9 || { echo "Another half-termly run is at work on $OUT." >&2; exit 1; }
if [[ -e $done ]]; then
    echo "$done is there already; move it away to run again." >&2
    exit 1
fi
rm -rf "$run" # of a run that was stopped
mkdir "$run"

advice="Read check/index.html first, then monitor-*/index.html."
# rows that could not be used do not stop the run; the report says which, and the lists how many
riskmodel check "$EXTRACTS" --out "$run/check" >"$run/check.txt" ||
    advice="The check found errors: read check/index.html before anybody uses the lists."
[[ -e $run/check ]]

for outcome in $OUTCOMES; do
    riskmodel monitor "$EXTRACTS" --outcome "$outcome" --tracking "$TRACKING" --settings "$SETTINGS" \
        --out "$run/monitor-$outcome" >"$run/monitor-$outcome.txt"
    riskmodel list "$EXTRACTS" --outcome "$outcome" --capacity "$CAPACITY" --tracking "$TRACKING" \
        --settings "$SETTINGS" \
        --log "$OUT/lists.jsonl" --by half_term.sh --out "$run/list-$outcome"
    riskmodel train "$EXTRACTS" --outcome "$outcome" --tracking "$TRACKING" \
        --settings "$SETTINGS" --capacity "$CAPACITY" >"$run/train-$outcome.txt"
done
riskmodel dashboard "$EXTRACTS" --out "$run/dashboard" --settings "$SETTINGS"
riskmodel verify "$OUT/lists.jsonl"

mv "$run" "$done"
echo "Done: $done. $advice"
