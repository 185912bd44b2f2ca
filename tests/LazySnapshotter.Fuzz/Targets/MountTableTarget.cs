using LazySnapshotter.Linux;

namespace LazySnapshotter.Fuzz.Targets;

// /proc/self/mountinfo: the kernel's format, but whoever mounts something says what stands in it.
internal sealed class MountTableTarget : FuzzTarget
{
    public override string Name => "mount-table";

    public override IReadOnlyList<byte[]> Seeds { get; } = SampleText.Seeds(
        "36 35 98:0 /root /mount\\040point rw,noatime master:1 shared:2 - ext4 /dev/sda1 rw,errors=continue\n"
        + "25 1 0:22 / /proc rw - proc proc rw\n");

    public override IReadOnlyList<string> Words { get; } = ["\\040", "\\134", " - ", "master:1", "0:1", "\n"];

    public override int LengthMax => 2048;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random) => MountTable.Parse(input);
}
