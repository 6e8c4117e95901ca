module blogposter

go 1.25.0
