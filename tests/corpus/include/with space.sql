select 'space';
