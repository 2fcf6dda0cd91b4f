-- Which trunk a notice is about, by the id of its configuration.
ALTER TABLE notice ADD COLUMN trunk TEXT;
