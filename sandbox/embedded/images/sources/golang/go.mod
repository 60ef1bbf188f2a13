module glasshull.local/images

go 1.26
