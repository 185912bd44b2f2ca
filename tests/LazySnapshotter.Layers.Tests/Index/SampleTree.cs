namespace LazySnapshotter.Layers.Tests.Index;

// A directory tree with one of everything a layer can hold, made by the shell's own tools.
internal static class SampleTree
{
    /// <summary>What ustar can say: no xattrs, no sub-second times, names of moderate length.</summary>
    private const string Plain = """
        mkdir -p usr/bin usr/lib/deep/deeper empty tmp
        chmod 1777 tmp; chmod 2750 usr/lib/deep; chmod 0 empty
        printf 'hello' > usr/bin/tool; chmod 4755 usr/bin/tool
        : > usr/bin/nothing
        seq 1 200000 > usr/lib/numbers
        head -c 3000000 /dev/urandom > usr/lib/random
        for i in $(seq 1 300); do echo "file $i" > usr/lib/deep/f$i; done
        ln usr/lib/numbers usr/lib/deep/numbers-too; ln usr/bin/nothing nothing-too
        ln -s ../lib/numbers usr/bin/numbers; ln -s /absolute/target absolute; ln absolute absolute-too
        mkfifo pipe; chown 1000:1001 pipe usr/lib/random; chown -h 5:6 absolute
        printf x > $'not-utf8-\xff\xfe'; printf y > $'with\nnewline'; printf z > $' -- odd "name"'
        mkdir $'d\xe9j\xe0'; printf q > $'d\xe9j\xe0/vu'
        find . -exec touch -h -d '2001-02-03 04:05:06' {} +
        """;

    private const string Devices = """
        mknod null c 1 3; mknod disk b 8 17; mknod big c 4000 1000000; touch -d '2001-02-03 04:05:06' null disk big .
        """;

    private const string LongNames = """
        long=$(printf 'n%.0s' $(seq 1 240)); mkdir -p $long/$long/$long; echo deep > $long/$long/$long/$long
        ln -s $long/$long/$long/$long longlink; ln $long/$long/$long/$long hardlong
        """;

    private const string Xattrs = """
        python3 - <<'END'
        import os
        os.setxattr('usr/bin/tool', 'user.binary', bytes(range(256)))
        os.setxattr('usr/bin/tool', 'user.empty', b'')
        os.setxattr('usr/lib', 'user.dir', b'line\nnext\n')
        os.setxattr('usr/lib/random', 'security.capability', bytes.fromhex('0100000200040000000000000000000000000000'))
        END
        """;

    private const string Sparse = """
        truncate -s 10M holes; printf start | dd of=holes conv=notrunc status=none
        printf middle | dd of=holes bs=1 seek=5000000 conv=notrunc status=none
        for i in $(seq 1 60); do printf piece | dd of=many bs=64K seek=$((i*3)) conv=notrunc status=none; done; truncate -s 20M many
        truncate -s 5M allhole; chown 7:8 many
        """;

    public static void Create(string path, bool posix)
    {
        Directory.CreateDirectory(path);
        string[] parts = posix ? [Plain, LongNames, Xattrs, Sparse, Devices] : [Plain, Devices];
        Tool.Shell(string.Join('\n', [$"cd '{path}'", .. parts]));
    }
}
