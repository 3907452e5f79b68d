"""The Excel workbook of a list: written, sealed, and read back with decisions."""
