using System.IO.Compression;
using LazySnapshotter.Linux;
using LazySnapshotter.Oci;
using LazySnapshotter.TestSupport.Containerd;
using LazySnapshotter.TestSupport.Registry;
using LazySnapshotter.TestSupport.Tars;
using LazySnapshotter.TestSupport.Trees;

namespace LazySnapshotter.IntegrationTests;

// Small images with odd layers: what containerd's overlayfs snapshotter makes of each is what a lazy image shows.
public sealed class OddLayersTests(OddLayersTests.Node node) : IClassFixture<OddLayersTests.Node>
{
    private const string Access = "SCHILY.xattr.system.posix_acl_access";
    private const string Default = "SCHILY.xattr.system.posix_acl_default";
    private const string Capability = "\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    // user::rw- user:1234:r-- group::--- mask::r-- other::---, and with rwx for named user and mask
    private const string Acl = "\x02\0\0\0\x01\0\x06\0\xff\xff\xff\xff\x02\0\x04\0\xd2\x04\0\0"
        + "\x04\0\0\0\xff\xff\xff\xff\x10\0\x04\0\xff\xff\xff\xff\x20\0\0\0\xff\xff\xff\xff";
    private const string WideAcl = "\x02\0\0\0\x01\0\x07\0\xff\xff\xff\xff\x02\0\x07\0\xd2\x04\0\0"
        + "\x04\0\x05\0\xff\xff\xff\xff\x10\0\x07\0\xff\xff\xff\xff\x20\0\x01\0\xff\xff\xff\xff";

    private static TestTar Tar => new();

    private static byte[] Base => Tar
        .Directory("a", 0x1E8, 111).Pax(("SCHILY.xattr.user.low", "1")).Directory("a/b", 0x1C0, 222).Add("a/b/old", data: "old")
        .Pax(("SCHILY.xattr.user.k", "v")).Directory("cfg", 0x1C9).Add("cfg/x", data: "x")
        .Directory("cfg/sub", 0x1C0).Add("cfg/sub/y", data: "y")
        .Add("plain", data: "p").Add("link", '2', link: "cfg").End();

    private static readonly Dictionary<string, byte[][]> Images = new()
    {
        ["opaque, directory not listed"] = [Base, Tar.Add("cfg/new", data: "n").Add("cfg/.wh..wh..opq").End()],
        ["opaque first"] = [Base, Tar.Add("cfg/.wh..wh..opq").Add("cfg/new", data: "n").End()],
        ["opaque deep down, twice"] = [Base, Tar.Add("a/b/.wh..wh..opq").Add("a/b/c/d/.wh..wh..opq").Add("a/b/c/d/e").End()],
        ["opaque in the middle of four layers"] =
            [Base, Tar.Add("cfg/one").Add("cfg/.wh..wh..opq").End(), Tar.Add("cfg/two").End(), Tar.Add("cfg/sub/z").End()],
        ["opaque above what is inherited from"] = [Base, Tar.Add("a/.wh..wh..opq").End(), Tar.Add("a/b/n").End()],
        ["opaque one below the other"] =
            [Base, Tar.Add("a/.wh..wh..opq").Add("a/b/q").End(), Tar.Add("a/b/.wh..wh..opq").Add("a/b/r").End(), Tar.Add("a/t").End()],
        ["opaque and listed, then replaced by a file"] =
            [Base, Tar.Directory("cfg").Add("cfg/.wh..wh..opq").Add("cfg/new").Add("cfg", data: "file").End()],
        ["opaque where a file was"] = [Base, Tar.Add("plain/.wh..wh..opq").Add("plain/q").End()],
        ["opaque through a link of a lower layer"] = [Base, Tar.Add("link/.wh..wh..opq").Add("link/q").End()],
        ["opaque marker that is a directory"] = [Base, Tar.Directory("cfg/.wh..wh..opq").End()],
        ["opaque root"] = [Base, Tar.Add(".wh..wh..opq").Add("n").End()],
        ["whiteout, then implied again above"] = [Base, Tar.Add(".wh.cfg").End(), Tar.Add("cfg/n").End()],
        ["whiteout before its directory"] = [Base, Tar.Add(".wh.cfg").Directory("cfg").Add("cfg/n").End()],
        ["whiteout in the lowest layer"] = [Tar.Directory("d").Add("d/.wh.q").Add("d/r").Add("e/.wh.z").End(), Tar.Add("x").End()],
        ["whiteout as a device node"] = [Base, Tar.Add("plain", '3').Add("cfg/x", '3', mode: 0x180).End()],
        ["whiteout as a device node where a directory was"] = [Base, Tar.Add("cfg", '3').End(), Tar.Add("cfg/n").End()],
        ["whiteout linked to"] = [Base, Tar.Add(".wh.plain").Add("cfg/x", '1', link: "plain").End()],
        ["whiteout that is a hard link"] = [Base, Tar.Add("t").Add(".wh.plain", '1', link: "t").End()],
        ["whiteout that is a directory"] = [Base, Tar.Directory(".wh.cfg").End()],
        ["trusted xattrs of overlayfs"] =
        [
            Base,
            Tar.Pax(("SCHILY.xattr.trusted.overlay.opaque", "y"), ("SCHILY.xattr.trusted.overlay.redirect", "/a"))
                .Directory("cfg").Add("cfg/n").End(),
        ],
        ["user xattrs of overlayfs"] = [Base, Tar.Pax(("SCHILY.xattr.user.overlay.opaque", "y")).Directory("cfg").Add("cfg/n").End()],
        ["ACL and mode that differ"] = [Tar.Pax((Access, Acl)).Add("f", mode: 0x180).Pax((Access, Acl)).Add("g", mode: 0x1ED).End()],
        ["ACL on a directory named twice"] = [Tar.Pax((Access, Acl)).Directory("d", 0x1E0).Directory("d", 0x1C8).End()],
        ["ACL under a hard link"] = [Tar.Pax((Access, Acl)).Add("f", mode: 0x1A0).Add("g", '1', link: "f", mode: 0x180).End()],
        ["ACL of another version"] = [Tar.Pax((Access, "\x01\0\0\0")).Add("f").End()],
        ["ACL without entries"] = [Tar.Pax((Access, "\x02\0\0\0")).Add("f").End()],
        ["ACL of a directory not listed above"] = [Tar.Pax((Access, WideAcl)).Directory("d", 0x1F9).End(), Tar.Add("d/f").End()],
        ["default ACL and what is created below"] =
        [
            Tar.Pax((Default, WideAcl)).Directory("d").Add("d/f", mode: 0x1A0).Directory("d/e", 0x1C0).Add("d/e/p", '6')
                .Add("d/l", '2', link: "f").Add("d/i/j/k").End(),
        ],
        ["default ACL that comes late"] = [Tar.Add("d/f").Pax((Default, WideAcl)).Directory("d").Add("d/g").End()],
        ["default ACL of a directory not listed above"] =
        [
            Tar.Pax((Default, WideAcl)).Directory("d").End(),
            Tar.Add("d/f", mode: 0x1A0).Add("d/e/g").Add("d/l", '2', link: "f").Add("d/.wh.x").End(),
            Tar.Directory("d/q", 0x1C0).Add("d/q/r").Add("d/e/.wh..wh..opq").Add("d/e/s").End(),
        ],
        ["directory listed behind what is in it"] =
        [
            Tar.Pax((Access, WideAcl), ("SCHILY.xattr.user.k", "v"), ("SCHILY.xattr.user.both", "low")).Directory("d", 0x1F9).End(),
            Tar.Add("d/n").Pax(("SCHILY.xattr.user.both", "high")).Directory("d", 0x1C0).End(),
            Tar.Add("d/.wh..wh..opq").Add("d/m").Directory("d", 0x1ED).End(),
        ],
        ["left out in a set-group-ID directory that is left out"] =
            [Tar.Add("s", '5', mode: 0x5FD, gid: 7).Add("s/is", '5', gid: 8).End(), Tar.Add("s/t/u/f").Add("s/is/f").End()],
        ["xattrs that just fit"] = [Tar.Pax(("SCHILY.xattr.user.k", new string('v', 4000))).Add("f").End()],
        ["capability under a hard link"] =
            [Tar.Pax(("SCHILY.xattr.security.capability", Capability)).Add("f", mode: 0x1ED).Add("g", '1', link: "f", mode: 0x1ED).End()],
        ["capability on a directory named twice"] =
            [Tar.Pax(("SCHILY.xattr.security.capability", Capability)).Directory("d").Directory("d").End()],
    };

    // With some of containerd's own words.
    private static readonly Dictionary<string, (string Says, byte[][] Tars)> Refused = new()
    {
        ["ACL cut short"] = ("setxattr", [Tar.Pax((Access, Acl[..^1])).Add("f").End()]),
        ["ACL out of order"] = ("setxattr", [Tar.Pax((Access, Acl[..4] + Acl[12..20] + Acl[4..12] + Acl[20..])).Add("f").End()]),
        ["ACL without its mask"] = ("setxattr", [Tar.Pax((Access, Acl[..28] + Acl[36..])).Add("f").End()]),
        ["default ACL on a file"] = ("setxattr", [Tar.Pax((Default, Acl)).Add("f").End()]),
        ["capability of two bytes"] = ("setxattr", [Tar.Pax(("SCHILY.xattr.security.capability", "xx")).Add("f").End()]),
        ["xattr without a name"] = ("setxattr", [Tar.Pax(("SCHILY.xattr.user.", "x")).Add("f").End()]),
        ["more xattrs than fit"] = ("no space left on device", [Tar.Pax(("SCHILY.xattr.user.k", new string('v', 4200))).Add("f").End()]),
        ["hard link to a later entry"] = ("no such file", [Tar.Add("a", '1', link: "b").Add("b").End()]),
        ["hard link to itself"] = ("no such file", [Tar.Add("a").Add("a", '1', link: "a").End()]),
        ["whiteout behind what it would hide"] = ("file exists", [Base, Tar.Add("f").Add(".wh.f").End()]),
        ["whiteout twice"] = ("file exists", [Base, Tar.Add(".wh.plain").Add(".wh.plain").End()]),
        ["left out below a file"] = ("not a directory", [Base, Tar.Add("plain/d/f").End()]),
        ["left out below a whiteout"] = ("not a directory", [Base, Tar.Add(".wh.cfg").End(), Tar.Add("cfg/sub/f").End()]),
        ["left out below a file, and then replaced"] = ("not a directory", [Base, Tar.Add("plain/d/f").Add("plain/d").End()]),
        ["left out below a loop of links"] = ("too many", [Tar.Add("d", '2', link: "d").End(), Tar.Add("d/e/f").End()]),
    };

    private static readonly Dictionary<string, byte[][]> Unpacked = new()
    {
        ["opaque, then replaced by a file"] = [Base, Tar.Add("cfg/.wh..wh..opq").Add("cfg/new").Add("cfg", data: "file").End()],
        ["opaque, replaced, a directory again"] = [Base, Tar.Add("cfg/.wh..wh..opq").Add("cfg").Directory("cfg").Add("cfg/q").End()],
        ["left out, and then replaced"] = [Base, Tar.Add("cfg/d/f").Add("cfg/d").End()],
        ["whiteout behind what it hides, in the lowest layer"] = [Tar.Directory("d").Add("d/f").Add("d/.wh.f").Add("d/g").End()],
        ["opaque marker above what is left out, in the lowest layer"] =
            [Tar.Directory("d").Add("d/e/f").Add("d/.wh..wh..opq").Add("d/g").End()],
    };

    public static TheoryData<string> ImageNames => [.. Images.Keys];

    public static TheoryData<string> RefusedNames => [.. Refused.Keys];

    public static TheoryData<string> UnpackedNames => [.. Unpacked.Keys];

    [Theory]
    [MemberData(nameof(ImageNames))]
    public Task An_odd_layer_shows_the_tree_that_overlayfs_shows(string name) => CompareAsync(Images[name], unpackedLayers: 0);

    [Theory]
    [MemberData(nameof(UnpackedNames))]
    public Task A_layer_that_an_index_cannot_describe_is_left_to_containerd_to_unpack(string name) =>
        CompareAsync(Unpacked[name], unpackedLayers: 1);

    [Theory]
    [MemberData(nameof(RefusedNames))]
    public async Task What_containerd_refuses_is_left_to_containerd_to_refuse(string name)
    {
        var (says, tars) = Refused[name];
        var (reference, _) = node.Push(tars);
        var overlayfs = await node.Containerd.CtrAsync("images", "pull", "--plain-http", reference);
        Assert.NotEqual(0, overlayfs.ExitCode);

        var lazy = await LazysnapProcess.RunAsync(
            "pull", "--containerd", node.Containerd.Address, "-n", node.Containerd.Namespace, reference);
        Assert.NotEqual(0, lazy.ExitCode);
        Assert.Contains(says, lazy.Error, StringComparison.Ordinal);
    }

    private async Task CompareAsync(byte[][] tars, int unpackedLayers)
    {
        var (reference, chainId) = node.Push(tars);
        await node.Containerd.PullAsync(reference, "overlayfs");
        Assert.Contains($" {unpackedLayers} unpacked", (await node.Lazy.PullAsync(reference)).Output, StringComparison.Ordinal);

        await using var unpacked = await node.MountAsync(chainId, "overlayfs");
        await using var lazy = await node.MountAsync(chainId, LazyNode.Snapshotter);
        var expected = Tree.Read(unpacked.Path);
        var directories = expected.Entries.Values.Where(entry => entry.Type == FileType.S_IFDIR).Select(entry => entry.Path).ToHashSet();
        Assert.Empty(TreeComparer.Compare(expected, Tree.Read(lazy.Path), directories));
        Assert.Equal(RawNames(unpacked.Path), RawNames(lazy.Path)); // also those that are listed and cannot be found
    }

    private static IEnumerable<string> RawNames(string root) =>
        Directory.EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(root, path)).Order(StringComparer.Ordinal);

    public sealed class Node : IAsyncLifetime
    {
        private TestRegistry _registry = null!;
        private int _images;

        public LazyNode Lazy { get; private set; } = null!;

        public ContainerdProcess Containerd => Lazy.Containerd;

        public async Task InitializeAsync()
        {
            _registry = await TestRegistry.StartAsync();
            Lazy = await LazyNode.StartAsync();
        }

        public async Task DisposeAsync()
        {
            await Lazy.DisposeAsync();
            await _registry.DisposeAsync();
        }

        public Task<MountedImage> MountAsync(Digest chainId, string snapshotter) =>
            Containerd.MountSnapshotAsync(chainId.ToString(), snapshotter, Containerd.Namespace);

        /// <summary>An image of these tars, lowest first.</summary>
        public (string Reference, Digest ChainId) Push(params byte[][] tars)
        {
            var repository = $"odd/image-{Interlocked.Increment(ref _images)}";
            var layers = tars.Select(tar => _registry.Content.AddBlob(repository, Compress(tar), MediaTypes.OciLayerGzip)).ToList();
            var diffIds = tars.Select(tar => Digest.OfSha256(tar)).ToList();
            _registry.Content.AddImage(repository, "latest", layers, diffIds);
            return (_registry.Reference(repository).ToString(), ChainId.ForEachLayer(diffIds)[^1]);
        }

        private static byte[] Compress(byte[] tar)
        {
            var blob = new MemoryStream();
            using (var gzip = new GZipStream(blob, CompressionLevel.Optimal))
                gzip.Write(tar);
            return blob.ToArray();
        }
    }
}
