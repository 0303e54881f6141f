"""The offline side: from a folder of DICOM to a published index."""
