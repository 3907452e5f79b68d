"""What people hold in their hands: the page, the workbook, and the files of a list."""

from riskmodel.report.list_files import write_list

__all__ = ["write_list"]
