"""What all jobs share: the finished runs that they read, the table that they fill, the folder that they leave."""
