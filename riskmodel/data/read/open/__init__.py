"""Opening what an LA sends: files, workbooks, XML and databases become raw frames."""
