-- nothing; here
/* or ; here */
;;
 
