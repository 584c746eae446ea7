select 'plain';
