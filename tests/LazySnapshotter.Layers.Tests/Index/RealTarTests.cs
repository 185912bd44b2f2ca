namespace LazySnapshotter.Layers.Tests.Index;

// The whole way, from a tree on disk through GNU tar and gzip into an index and back through its spans.
public sealed class RealTarTests : IDisposable
{
    private readonly TestFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("ustar", "")]
    [InlineData("v7", "--exclude=./null --exclude=./disk --exclude=./big --exclude=./pipe")]
    [InlineData("gnu", "")]
    [InlineData("oldgnu", "")]
    [InlineData("posix", "--xattrs --xattrs-include=*")]
    [InlineData("posix", "--sparse --sparse-version=0.0 --xattrs --xattrs-include=*")]
    [InlineData("posix", "--sparse --sparse-version=0.1 --xattrs --xattrs-include=*")]
    [InlineData("posix", "--sparse --sparse-version=1.0 --xattrs --xattrs-include=*")]
    public void Every_format_of_tar_gives_the_tree_it_was_made_from(string format, string options)
    {
        var extended = format is "gnu" or "posix";
        SampleTree.Create(_folder["tree"], extended);
        Tool.Shell($"cd '{_folder["tree"]}'; tar --format={format} {options.Replace("*", "\\*", StringComparison.Ordinal)} -cf " +
            $"'{_folder["tar"]}' .");
        // Unpacked again, because a format that cannot say something (v7 no devices) never promised it.
        Tool.Shell(
            $"mkdir '{_folder["out"]}'; tar -xpf '{_folder["tar"]}' --xattrs --xattrs-include=\\* -C '{_folder["out"]}' --numeric-owner");

        using var layer = BuiltLayer.Of(Gzip("gzip -6", _folder["tar"]));
        DiskTree.AssertEqual(_folder["out"], layer);
    }

    [Fact]
    public void Sparse_files_of_GNU_s_old_format_are_refused_as_by_containerd()
    {
        SampleTree.Create(_folder["tree"], posix: true);
        Tool.Shell($"cd '{_folder["tree"]}'; tar --format=gnu --sparse -cf '{_folder["tar"]}' .");
        var refused = Assert.Throws<InvalidDataException>(() => BuiltLayer.Of(Gzip("gzip -6", _folder["tar"])));
        Assert.Contains("entry type 0x53 is none that containerd unpacks", refused.Message, StringComparison.Ordinal);
    }

    private byte[] Gzip(string command, string path)
    {
        Tool.Shell($"{command} -c < '{path}' > '{_folder["gz"]}'");
        return File.ReadAllBytes(_folder["gz"]);
    }
}
