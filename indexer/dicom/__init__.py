"""DICOM files: what headers say, pixels, structured reports. The only home of pydicom."""
