using System.CommandLine;
using System.CommandLine.Parsing;
using LazySnapshotter.Node.Options;
using LazySnapshotter.Oci;

namespace LazySnapshotter.Cli.Options;

// What the commands that look at an image have in common: which image, for which platform, and whether
// the registry is spoken to in plain HTTP.
internal static class ImageArguments
{
    public static Argument<string> Reference() => new("REF") { Description = "The image, for example docker.io/library/python:3.12" };

    public static Option<Platform?> Platform(
        string description = "Which image of an index is meant: os/arch[/variant] [default: this machine's]")
    {
        return new("--platform") { Description = description, HelpName = "PLATFORM", CustomParser = Parse };

        static Platform? Parse(ArgumentResult result)
        {
            try
            {
                return Oci.Platform.Parse(result.Tokens[0].Value);
            }
            catch (FormatException e)
            {
                result.AddError("--platform: " + e.Message);
                return null;
            }
        }
    }

    public static Option<bool> PlainHttp() => new("--plain-http")
    {
        Description = "Speak http to the image's registry (loopback registries are spoken to in http anyway)",
    };

    public static DaemonOptions.RegistrySection RegistrySection(IEnumerable<string> plainHttp, string? hostsDirectory) =>
        new() { PlainHttp = [.. plainHttp], HostsDirectory = hostsDirectory ?? DaemonOptions.DefaultHostsDirectory };
}
