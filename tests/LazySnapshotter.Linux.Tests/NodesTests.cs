namespace LazySnapshotter.Linux.Tests;

public sealed class NodesTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 3)]
    [InlineData(259, 0x12345)]
    [InlineData(4095, 0xFFFFF)]
    public void A_device_node_shows_the_numbers_it_was_made_with(uint major, uint minor)
    {
        Libc.MakeNode(_scratch.At("device"), FileType.S_IFCHR, 0x180, major, minor);

        var status = Libc.GetStatus(_scratch.At("device"));
        Assert.Equal((FileType.S_IFCHR, major, minor), (status.Type, status.DeviceMajor, status.DeviceMinor));
    }

    [Fact]
    public void Owner_mode_and_times_are_set_as_asked()
    {
        Libc.MakeNode(_scratch.At("file"), FileType.S_IFREG, 0x180);
        Libc.Chown(_scratch.At("file"), 12, 34);
        Libc.Chmod(_scratch.At("file"), 0x9ED);
        Libc.SetTimes(_scratch.At("file"), -5, 123_456_789);

        var status = Libc.GetStatus(_scratch.At("file"));
        Assert.Equal((0x89EDu, 12u, 34u, -5L, 123_456_789u),
            (status.Mode, status.Uid, status.Gid, status.ModifiedSeconds, status.ModifiedNanoseconds));
    }

    [Fact]
    public void A_link_is_treated_as_itself()
    {
        Libc.MakeSymbolicLink("/nowhere", _scratch.At("link"));
        Libc.Chown(_scratch.At("link"), 12, 34);
        Libc.SetTimes(_scratch.At("link"), 77, 0);
        Libc.MakeHardLink(_scratch.At("link"), _scratch.At("second"));

        var status = Libc.GetStatus(_scratch.At("second"));
        Assert.Equal((FileType.S_IFLNK, 12u, 77L, 2u), (status.Type, status.Uid, status.ModifiedSeconds, status.LinkCount));
        Assert.Equal("/nowhere"u8.ToArray(), Libc.ReadLink(_scratch.At("second")));
    }

    [Fact]
    public void Names_and_targets_need_not_be_UTF8()
    {
        ReadOnlySpan<byte> name = [0xFF, 0xFE, (byte)' ', 0x80];
        Libc.MakeDirectory(_scratch.At(name), 0x1ED);
        Libc.MakeSymbolicLink(name, _scratch.At(name).Append([0x80]));

        var item = Assert.Single(Libc.ListDirectory(_scratch.At("")), item => item.Name[0] != '.');
        Assert.Equal(name.ToArray(), item.Name);
        Assert.Equal(FileType.S_IFDIR, item.Type);
        Assert.Equal(name.ToArray(), Libc.ReadLink(_scratch.At(name).Append([0x80])));

        // .NET could not remove them.
        Libc.Unlink(_scratch.At(name).Append([0x80]));
        Libc.RemoveDirectory(_scratch.At(name));
    }

    [Fact]
    public void The_real_path_has_no_links()
    {
        Libc.MakeDirectory(_scratch.At("directory"), 0x1ED);
        Libc.MakeSymbolicLink("directory", _scratch.At("link"));

        Assert.Equal(_scratch.At("directory"), Libc.RealPath(_scratch.At("link/../link")).ToString());
        Assert.Throws<LinuxException>(() => Libc.RealPath(_scratch.At("absent")));
    }

    [Fact]
    public void Renaming_replaces()
    {
        File.WriteAllText(_scratch.At("new"), "new");
        File.WriteAllText(_scratch.At("old"), "old");
        Libc.Rename(_scratch.At("new"), _scratch.At("old"));
        Assert.Equal("new", File.ReadAllText(_scratch.At("old")));
    }

    [Fact]
    public void Extended_attributes_hold_any_bytes()
    {
        File.WriteAllText(_scratch.At("file"), "");
        Libc.SetXattr(_scratch.At("file"), "trusted.some", [0, 1, 0xFF]);
        Libc.SetXattr(_scratch.At("file"), "trusted.empty", []);

        Assert.Equal([0, 1, 0xFF], Libc.GetXattr(_scratch.At("file"), "trusted.some"));
        Assert.Empty(Libc.GetXattr(_scratch.At("file"), "trusted.empty")!);
        Assert.Null(Libc.GetXattr(_scratch.At("file"), "trusted.absent"));
        Assert.Equal(
            ["trusted.empty", "trusted.some"], Libc.ListXattrs(_scratch.At("file")).Select(System.Text.Encoding.UTF8.GetString).Order());
        Assert.Throws<LinuxException>(() => Libc.GetXattr(_scratch.At("absent"), "trusted.some"));
    }
}
