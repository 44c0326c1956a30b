module github.com/b10lint/b10lint

go 1.26.8
