"""What every dashboard shows, whatever draws it: as data, and as HTML with classes that all faces share."""
