using System.Globalization;
using System.Security.Cryptography;
using LazySnapshotter.Linux;

namespace LazySnapshotter.Daemon.Tests.Conformance;

// What a directory tree looks like from outside, one line per name: type, mode, owner, size, content, hard links.
internal static class Tree
{
    public static void AssertEqual(string expected, string actual) => Assert.Equal(Describe(expected), Describe(actual));

    private static List<string> Describe(string root)
    {
        var names = Directory.EnumerateFileSystemEntries(root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
        var status = names.ToDictionary(name => name, name => Libc.GetStatus(name));
        var linked = names.Where(name => status[name].Type == FileType.S_IFREG).GroupBy(name => status[name].Inode)
            .SelectMany(group => group.Select(name => (name, First: group.First()))).ToDictionary(pair => pair.name, pair => pair.First);
        return [.. names.Select(name => Line(root, name, status[name], linked.GetValueOrDefault(name)))];
    }

    private static string Line(string root, string name, FileStatus status, string? firstName) => string.Create(
        CultureInfo.InvariantCulture,
        $"{name[root.Length..]} {status.Type} {Convert.ToString(status.Mode & ModeBits.PermissionMask, 8)} " +
        $"{status.Uid}:{status.Gid} {Content(name, status)} {firstName?[root.Length..]}");

    private static string Content(string name, FileStatus status) => status.Type switch
    {
        FileType.S_IFREG => $"{status.Size} {Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(name)))}",
        FileType.S_IFLNK => new FileInfo(name).LinkTarget ?? "",
        _ => "",
    };
}
