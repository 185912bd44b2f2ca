using LazySnapshotter.Linux;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Images;
using LazySnapshotter.TestSupport.Registry;
using LazySnapshotter.TestSupport.Trees;
using Microsoft.Win32.SafeHandles;
using Xunit.Abstractions;

namespace LazySnapshotter.IntegrationTests;

// Every file of a real image, read at random offsets and lengths through the mount and through the unpacked tree.
public sealed class RandomReadTests(ITestOutputHelper output)
{
    private const int Reads = 100_000;
    private const int LengthMax = 256 << 10;

    [Fact]
    public async Task A_hundred_thousand_random_reads_give_the_bytes_of_the_unpacked_tree()
    {
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        var image = await TestImages.Java;
        await using var registry = await DockerRegistry.StartAsync();
        var reference = await registry.PushAsync(image);
        await using var node = await LazyNode.StartAsync();
        await node.IndexAsync(reference);
        await node.PullAsync(reference);
        await node.Containerd.PullAsync(reference, "overlayfs");
        await using var unpacked = await node.Containerd.MountImageAsync(image, "overlayfs");
        await using var lazy = await node.Containerd.MountImageAsync(image, LazyNode.Snapshotter);

        var files = RegularFiles(unpacked.Path);
        var perFile = (Reads / files.Count) + 1;
        var done = 0;
        Parallel.For(0, files.Count, i =>
        {
            var random = new Random(HashCode.Combine(seed, i));
            Interlocked.Add(ref done, Compare(files[i], unpacked.Path, lazy.Path, perFile, random));
        });

        output.WriteLine($"{done} reads of {files.Count} files");
        Assert.True(done >= Reads, $"only {done} reads");
    }

    private static List<LinuxPath> RegularFiles(string root) => [.. Tree.List(root)
        .Where(file => file.Status.Type == FileType.S_IFREG && file.Status.Size > 0)
        .Select(file => file.Path)];

    private static int Compare(LinuxPath path, string expectedRoot, string actualRoot, int reads, Random random)
    {
        using var expected = Open(expectedRoot, path);
        using var actual = Open(actualRoot, path);
        var size = RandomAccess.GetLength(expected);
        var wanted = new byte[Math.Min(LengthMax, size + 1)];
        var got = new byte[wanted.Length];
        for (var i = 0; i < reads; i++)
        {
            var offset = random.NextInt64(size);
            var length = random.Next(1, wanted.Length + 1);
            var wantedLength = ReadFully(expected, offset, wanted.AsSpan(0, length));
            var gotLength = ReadFully(actual, offset, got.AsSpan(0, length));
            if (wantedLength != gotLength || !wanted.AsSpan(0, wantedLength).SequenceEqual(got.AsSpan(0, gotLength)))
                Assert.Fail($"{path}: {length} bytes at {offset} of {size} differ ({wantedLength} and {gotLength} read)");
        }

        return reads;
    }

    private static SafeFileHandle Open(string root, LinuxPath path)
    {
        using var opened = Libc.Open(new LinuxPath(root).Append(path.Bytes[1..]), OpenFlags.O_RDONLY | OpenFlags.O_NOFOLLOW);
        var descriptor = opened.Descriptor;
        opened.SetHandleAsInvalid();
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    private static int ReadFully(SafeFileHandle file, long offset, Span<byte> destination)
    {
        var total = 0;
        while (total < destination.Length && RandomAccess.Read(file, destination[total..], offset + total) is var read and > 0)
            total += read;
        return total;
    }
}
