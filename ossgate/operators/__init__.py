"""What operators see: every upload, its history, refused callbacks, counts. Nothing is changed from here."""
