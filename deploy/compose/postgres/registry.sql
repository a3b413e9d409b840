-- The schema registry keeps its own database on the same server: its tables are not ours.
create database registry;
