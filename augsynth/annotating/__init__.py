"""Labels for samples that have none, from a judge that says how sure it is and keeps back where it is not."""
