"""Small trained models with labelled data, on which a conversion can lose accuracy and be seen to."""
