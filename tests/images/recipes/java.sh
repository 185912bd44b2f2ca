# git and a Java runtime in one layer of about 100 MB compressed: the size at which pulling hurts, and of which a start reads
# little (the JVM maps a 128 MB file of modules and touches a few pages of it).
recipe() {
    umoci init --layout layout
    umoci new --image layout:latest
    add_layer "$(base)/layer.tar.gz"

    begin_layer runtime
    install_packages "$work/root" git openjdk-17-jre-headless
    end_layer runtime gnu
    umoci raw add-layer --image layout:latest runtime.tar

    begin_layer app
    mkdir root/app
    cat > root/app/run <<'SH'
#!/bin/sh
set -e
cd /tmp
git init -q repository && cd repository
git -c user.name=demo -c user.email=demo@localhost commit -q --allow-empty -m "first commit"
git log --format=%s
java -version 2>&1 | head -n 1
SH
    chmod 755 root/app/run
    end_layer app pax
    gzip --no-name -9 app.tar
    add_layer app.tar.gz

    finish --config.env PATH=/usr/local/bin:/usr/bin:/bin --config.env LC_ALL=C.UTF-8 --config.workingdir /app \
        --config.entrypoint /app/run
}
