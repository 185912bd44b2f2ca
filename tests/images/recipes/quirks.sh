# Everything a layer may hold that makes a filesystem stumble: a web server from packages, then a layer of odd files, one that
# deletes and replaces them, a tar written by hand, an empty layer. Every layer has another tar dialect and gzip producer.
recipe() {
    umoci init --layout layout
    umoci new --image layout:latest
    add_layer "$(base)/layer.tar.gz"

    begin_layer server                                   # GNU tar, compressed by umoci (Go, pgzip)
    install_packages "$work/root" nginx-light perl
    end_layer server gnu
    umoci raw add-layer --image layout:latest server.tar

    begin_layer create                                   # pax with nanoseconds, xattrs, sparse files; two gzip members
    python3 "$here/recipes/quirks.create.py" root
    setcap cap_net_raw,cap_net_bind_service+ep root/quirks/modes/capable
    end_layer create pax
    python3 "$here/tools/gzip_members.py" create.tar create.tar.gz
    add_layer create.tar.gz

    begin_layer change                                   # whiteouts and opaque directories; gzip -1, name in the header
    python3 "$here/recipes/quirks.change.py" root
    end_layer change gnu
    gzip --name -1 change.tar
    add_layer change.tar.gz

    begin_layer again                                    # what was deleted comes back, what came back goes; gzip -9
    python3 "$here/recipes/quirks.again.py" root
    end_layer again pax
    gzip --no-name -9 again.tar
    add_layer again.tar.gz

    python3 "$here/recipes/quirks.byhand.py" byhand.tar  # uncompressed
    add_layer byhand.tar

    head --bytes=1024 /dev/zero | gzip --no-name > empty.tar.gz
    add_layer empty.tar.gz

    finish --config.env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --config.user root \
        --config.entrypoint perl --config.cmd -e --config.cmd 'print "perl $], ", scalar(() = glob("/quirks/*")), " quirks\n"'
}
