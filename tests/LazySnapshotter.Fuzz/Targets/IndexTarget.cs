using System.Security.Cryptography;
using LazySnapshotter.Layers.Format;

namespace LazySnapshotter.Fuzz.Targets;

// Index files as they lie on disk. Repair makes the header's checksum right again, as anyone can who writes an index to
// harm whoever reads it; what the header then says of the sections is tried out.
internal sealed class IndexTarget : FuzzTarget
{
    private readonly Lazy<IReadOnlyList<byte[]>> _seeds = new(() => [SampleIndex.Make(4096), SampleIndex.Make(1 << 20)]);

    public override string Name => "index";

    public override IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random) => SampleIndex.Use(input);

    public override void Repair(Span<byte> input)
    {
        const int Checked = LayerIndexHeader.Length - SHA256.HashSizeInBytes;
        if (input.Length >= LayerIndexHeader.Length)
            SHA256.HashData(input[..Checked], input.Slice(Checked, SHA256.HashSizeInBytes));
    }
}
