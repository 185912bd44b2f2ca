using System.Globalization;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuse.Tests;

// A tree with one of everything a layer can hold, and a good many of some.
internal static class GeneratedTree
{
    public const int ManyFiles = 20_000;

    // cap_net_raw as permitted and effective (struct vfs_cap_data, revision 2).
    public static readonly byte[] NetRawCapability =
        [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

    public static TestTree Build(int seed, bool immutableRoot = true)
    {
        var random = new Random(seed);
        var tree = new TestTree(immutableRoot);
        var top = tree.AddDirectory(tree.Root, "layer");

        var many = tree.AddDirectory(top, "many");
        for (var i = 0; i < ManyFiles; i++)
            tree.AddFile(many, i.ToString("d5", CultureInfo.InvariantCulture) + new string('n', random.Next(40)), []);

        var deep = top;
        for (var i = 0; i < 20; i++)
        {
            deep = tree.AddDirectory(deep, "d" + i.ToString(CultureInfo.InvariantCulture), (uint)random.Next(0x200) | 0x140);
            deep.Attributes = deep.Attributes with { Uid = (uint)random.Next(), Gid = (uint)random.Next() };
            for (var j = 0; j < 5; j++)
                tree.AddFile(deep, "file" + j.ToString(
                    CultureInfo.InvariantCulture), RandomBytes(random, random.Next(300_000)), (uint)random.Next(0x1000));
        }

        AddOddities(tree, tree.AddDirectory(top, "odd"), random);
        return tree;
    }

    private static void AddOddities(TestTree tree, TestNode odd, Random random)
    {
        tree.AddFile(odd, "empty", []);
        tree.AddFile(odd, "one page", RandomBytes(random, 4096));
        tree.AddFile(odd, "large", RandomBytes(random, 5_000_001));
        tree.AddFile(odd, "setuid", [1, 2, 3], 0x9ED);
        tree.AddFile(odd, "\xff\xfe not utf-8 \x80", [4, 5]);
        tree.AddFile(odd, "newline\nand\ttab", [6]);
        tree.AddFile(odd, new string('x', 255), [7]);
        tree.AddFile(odd, ".hidden", [8]);
        tree.AddSymbolicLink(odd, "relative", "../many/00001"u8.ToArray());
        tree.AddSymbolicLink(odd, "dangling", [0xff, 0xfe, (byte)'/', 0x80]);
        tree.AddSymbolicLink(odd, "long link", RandomText(random, 4095));
        tree.AddSpecial(odd, "whiteout", FileType.S_IFCHR);
        tree.AddSpecial(odd, "null", FileType.S_IFCHR, 1, 3);
        tree.AddSpecial(odd, "disk", FileType.S_IFBLK, 259, 0x12345);
        tree.AddSpecial(odd, "fifo", FileType.S_IFIFO);
        tree.AddSpecial(odd, "socket", FileType.S_IFSOCK);
        tree.AddDirectory(odd, "empty directory", 0x3FF);

        var linked = tree.AddFile(odd, "first name", [9, 9, 9]);
        tree.Link(odd, "second name", linked);

        var old = tree.AddFile(odd, "before 1970", [1]);
        old.Attributes = old.Attributes with { ModifiedSeconds = -1_000_000, ModifiedNanoseconds = 999_999_999 };

        var capable = tree.AddFile(odd, "capable", [2], 0x1ED);
        capable.Xattrs["security.capability"] = NetRawCapability;
        var opaque = tree.AddDirectory(odd, "opaque");
        opaque.Xattrs["trusted.overlay.opaque"] = "y"u8.ToArray();
        opaque.Xattrs["user.empty"] = [];
        var rich = tree.AddFile(odd, "many attributes", []);
        for (var i = 0; i < 100; i++)
            rich.Xattrs["user.n" + i.ToString(CultureInfo.InvariantCulture)] = RandomBytes(random, random.Next(1000));
        rich.Xattrs["user.big"] = RandomBytes(random, 65536);
        rich.Xattrs["user.\xff"] = [0, 1, 0];
    }

    private static byte[] RandomBytes(Random random, int length)
    {
        var bytes = new byte[length];
        random.NextBytes(bytes);
        return bytes;
    }

    private static byte[] RandomText(Random random, int length)
    {
        var bytes = new byte[length];
        for (var i = 0; i < length; i++)
            bytes[i] = (byte)random.Next('a', 'z');
        return bytes;
    }
}
