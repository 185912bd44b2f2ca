using System.Buffers.Binary;
using LazySnapshotter.Cli.Inspection;

namespace LazySnapshotter.Fuzz.Targets;

// The beginning of an image's executable: `#!` lines, and program headers of both ELF classes.
internal sealed class ExecutableTarget : FuzzTarget
{
    private readonly Lazy<IReadOnlyList<byte[]>> _seeds = new(
        () => [Elf(is64: true), Elf(is64: false), "#!/usr/bin/env -S A=b python3 -u\n"u8.ToArray(), "#!/bin/sh"u8.ToArray()]);

    public override string Name => "executable";

    public override IReadOnlyList<byte[]> Seeds => _seeds.Value;

    public override int LengthMax => 1024;

    public override void Run(ReadOnlySpan<byte> input, ref FuzzRandom random)
    {
        if (ExecutableStart.Read(input) is { Interpreter: null, Command: null })
            throw new InvalidDataException("nothing to start it with");
    }

    private static byte[] Elf(bool is64)
    {
        var (header, entry) = is64 ? (64, 56) : (52, 32);
        var file = new byte[header + 2 * entry + 16];
        "\u007fELF"u8.CopyTo(file);
        (file[4], file[5]) = ((byte)(is64 ? 2 : 1), 1);
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(is64 ? 32 : 28), header);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(is64 ? 54 : 42), (short)entry);
        BinaryPrimitives.WriteInt16LittleEndian(file.AsSpan(is64 ? 56 : 44), 2);
        var interpreter = file.AsSpan(header + entry);
        BinaryPrimitives.WriteInt32LittleEndian(interpreter, 3);
        BinaryPrimitives.WriteInt32LittleEndian(interpreter[(is64 ? 8 : 4)..], header + 2 * entry);
        BinaryPrimitives.WriteInt32LittleEndian(interpreter[(is64 ? 32 : 16)..], 12);
        "/lib/ld.so.2"u8.CopyTo(file.AsSpan(header + 2 * entry));
        return file;
    }
}
