# Made by goreleaser, which lays the binaries beside this file by platform. Nothing
# is in the image but the program and the certificate authorities to know Baseten by.
#   docker run --rm -v "$PWD:/src:ro" ghcr.io/b10lint/b10lint scan
FROM alpine:3.22 AS certificates

FROM scratch
ARG TARGETPLATFORM
COPY --from=certificates /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY ${TARGETPLATFORM}/b10lint /b10lint
USER 65534:65534
WORKDIR /src
ENTRYPOINT ["/b10lint"]
