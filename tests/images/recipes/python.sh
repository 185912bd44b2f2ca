# python3 and numpy: what the demo starts. Its upper layers come from umoci, which writes tars with Go's archive/tar and
# compresses with pgzip; directories that only gained a child are left out of them.
recipe() {
    umoci init --layout layout
    umoci new --image layout:latest
    add_layer "$(base)/layer.tar.gz"
    umoci unpack --image layout:latest bundle
    install_packages "$work/bundle/rootfs" python3
    umoci repack --refresh-bundle --image layout:latest bundle
    install_packages "$work/bundle/rootfs" python3-numpy
    umoci repack --refresh-bundle --image layout:latest bundle
    mkdir -p bundle/rootfs/app
    cat > bundle/rootfs/app/hello.py <<'PY'
import numpy

matrix = numpy.arange(9.0).reshape(3, 3) + numpy.eye(3)
print("numpy", numpy.__version__, "determinant", round(float(numpy.linalg.det(matrix)), 6), flush=True)
PY
    umoci repack --image layout:latest bundle
    finish --config.env PATH=/usr/local/bin:/usr/bin:/bin --config.workingdir /app \
        --config.entrypoint python3 --config.cmd /app/hello.py
}
