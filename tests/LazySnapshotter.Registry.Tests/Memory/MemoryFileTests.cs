using System.Text;
using LazySnapshotter.Linux;
using LazySnapshotter.Oci;
using LazySnapshotter.Registry.Client;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.Registry.Memory;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Memory;

// The file with the secrets: who may read it, what happens when it is not what it was, and when several processes share it.
public sealed class MemoryFileTests
{
    private const UnixFileMode Ours = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly TestRegistryOptions BearerWithCdn = new() { Auth = TestAuthMode.Bearer, RedirectBlobs = true };

    [Fact]
    public async Task It_is_readable_for_its_owner_alone_and_nothing_else_is_left_in_the_folder()
    {
        await using var bench = await WrittenAsync();
        Assert.Equal(Ours, File.GetUnixFileMode(bench.MemoryPath));
        Assert.Equal(Ours | UnixFileMode.UserExecute, File.GetUnixFileMode(bench.Folder));
        Assert.Equal(["memory.json", "memory.lock"], Directory.GetFileSystemEntries(bench.Folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Damage_anywhere_costs_round_trips_and_one_line_in_the_log()
    {
        await using var bench = await WrittenAsync();
        var good = File.ReadAllBytes(bench.MemoryPath);
        for (var at = 0; at < good.Length; at += good.Length / 40)
        {
            var damaged = good.ToArray();
            damaged[at] ^= 0x04;
            await AssertForgottenAsync(bench, () => File.WriteAllBytes(bench.MemoryPath, damaged), $"byte {at} of {good.Length}");
        }
    }

    [Fact]
    public async Task A_file_cut_off_anywhere_is_forgotten()
    {
        await using var bench = await WrittenAsync();
        var good = File.ReadAllBytes(bench.MemoryPath);
        foreach (var length in (
            int[])[0, 1, 20, good.AsSpan().IndexOf((byte)'\n'), good.AsSpan().IndexOf((byte)'\n') + 1, good.Length / 2, good.Length - 1])
            await AssertForgottenAsync(bench, () => File.WriteAllBytes(bench.MemoryPath, good[..length]), $"cut off at {length}");
    }

    [Fact]
    public async Task Anything_else_in_its_place_is_forgotten()
    {
        await using var bench = await WrittenAsync();
        var good = File.ReadAllText(bench.MemoryPath);
        await AssertForgottenAsync(bench, () => File.WriteAllText(bench.MemoryPath, good.Replace(
            "\"version\":1", "\"version\":2", StringComparison.Ordinal)), "it has version 2, this program writes 1");
        await AssertForgottenAsync(bench, () => File.WriteAllText(bench.MemoryPath, good + "more\n"), "its digest is wrong");
        await AssertForgottenAsync(bench, () => File.WriteAllText(bench.MemoryPath, "{}\n{}\n"), "damaged, or something else");
        await AssertForgottenAsync(bench, () => File.WriteAllText(bench.MemoryPath, "null\nnull\n"), "something else");
        await AssertForgottenAsync(
            bench, () => File.WriteAllBytes(bench.MemoryPath, new byte[RegistryLimits.MemoryFileBytesMax + 1]), "longer than");
        await AssertForgottenAsync(bench, () =>
            { }, "mode 644", after: () => File.SetUnixFileMode(bench.MemoryPath, Ours | UnixFileMode.GroupRead | UnixFileMode.OtherRead));
        await AssertForgottenAsync(bench, () => { }, "it is no regular file", after: () =>
        {
            File.Delete(bench.MemoryPath);
            File.CreateSymbolicLink(bench.MemoryPath, Path.Combine(bench.Folder, "memory.json.damaged"));
        });
        if (Environment.IsPrivilegedProcess)
            await AssertForgottenAsync(bench, () => { }, "it belongs to user 1", after: () => Libc.Chown(bench.MemoryPath, 1, 1));
    }

    // A document that was written whole, with the right digest, by somebody who did not mean well.
    [Theory]
    [InlineData("{\"loginKey\":null}")]
    [InlineData("{\"loginKey\":\"\"}")]
    [InlineData("{\"loginKey\":\"AAAA\",\"tokens\":[]}")]
    [InlineData("[]")]
    [InlineData("{\"loginKey\":\"KEY\",\"tokens\":7}")]
    [InlineData("{\"loginKey\":\"KEY\",\"challenges\":[[[[[[[[[[]]]]]]]]]]}")]
    public async Task A_sealed_document_that_makes_no_sense_is_forgotten(string content)
    {
        await using var bench = await WrittenAsync();
        await AssertForgottenAsync(bench, () => Seal(bench.MemoryPath, content), "");
    }

    [Fact]
    public async Task Single_entries_that_make_no_sense_are_left_out()
    {
        await using var bench = await WrittenAsync();
        var now = DateTimeOffset.UtcNow;
        var times = $"\"learnedAt\":\"{now:O}\",\"expiresAt\":\"{now.AddHours(1):O}\"";
        Seal(bench.MemoryPath, $$"""
            {"loginKey":"KEY","challenges":[null,{},{"endpoint":"http://{{bench.Server.Host}}/v2",{{times}},"scheme":"kerberos","parameters":{} }],
            "tokens":[null,{"endpoint":"e","scope":"s","scopes":"s",{{times}},"login":"nobody","value":"a\r\nHost: b"}],
            "locations":[{"registry":"{{bench.Server.Host}}","repository":"{{Bench.Repository}}","digest":"{{bench.Bench.Blob.Digest}}","endpoint":"e",{{times}},"url":"file:///etc/passwd"}],
            "tags":[{"registry":"r","repository":"r","tag":"t",{{times}},"digest":"sha256:1"}],"gaps":[{"host":null,"what":"ranges",{{times}} }]}
            """.ReplaceLineEndings(""));
        bench.Start();
        await bench.AssertReadsAsync(0, 1);
        Assert.Equal("Ping Token Blob Cdn", bench.TakeRequests());
        Assert.Empty(bench.Warnings());
    }

    [Fact]
    public async Task A_damaged_file_is_kept_for_a_person_alone_to_look_at()
    {
        await using var bench = await WrittenAsync();
        File.WriteAllText(bench.MemoryPath, "what is this");
        bench.Start();
        var aside = bench.MemoryPath + ".damaged";
        Assert.Equal("what is this", File.ReadAllText(aside));
        Assert.Equal(Ours, File.GetUnixFileMode(aside));
    }

    [Fact]
    public async Task Two_processes_that_end_one_after_the_other_both_leave_what_they_learned()
    {
        await using var bench = await RestartBench.StartAsync(BearerWithCdn);
        var other = bench.Server.Content.AddBlob("other/image", [1, 2, 3]);
        using var second = new RegistryClient(bench.Bench.Options, bench.Bench.Log);
        await bench.AssertReadsAsync(0, 1);
        await ReadOtherAsync(second);
        bench.Stop();
        second.Dispose();

        var third = bench.Start();
        await bench.AssertReadsAsync(1, 1);
        await ReadOtherAsync(third);
        Assert.Equal("Cdn Cdn", bench.TakeRequests());

        async Task ReadOtherAsync(RegistryClient client) =>
            Assert.Equal([2], await bench.Bench.ReadAsync(1, 1, client.OpenBlob(bench.Server.Reference("other/image"), other)));
    }

    [Fact]
    public async Task Many_processes_that_write_at_once_lose_nothing()
    {
        await using var bench = await RestartBench.StartAsync(BearerWithCdn);
        bench.Stop();
        var options = bench.Bench.Options with { MemoryWriteDelay = TimeSpan.FromMilliseconds(1) };
        var blobs = Enumerable.Range(0, 40).Select(i => bench.Server.Content.AddBlob(Bench.Repository, [(byte)i, 1, 2])).ToList();
        await Task.WhenAll(Enumerable.Range(0, 8).Select(process => Task.Run(async () =>
        {
            using var client = new RegistryClient(options, bench.Bench.Log);
            foreach (var blob in blobs.Skip(process * 5).Take(5))
                await bench.Bench.ReadAsync(1, 1, client.OpenBlob(bench.Bench.Reference, blob));
        })));

        bench.Start();
        foreach (var blob in blobs)
            await bench.Bench.ReadAsync(1, 1, bench.Client.OpenBlob(bench.Bench.Reference, blob));
        Assert.Equal(40, bench.Server.Count(TestRequestKind.Cdn));
        Assert.Equal(40, bench.Server.Requests.Count);
        Assert.Empty(bench.Warnings());
        Assert.Empty(Directory.GetFiles(bench.Folder, "*.tmp"));
    }

    [Fact]
    public async Task It_is_written_without_anybody_ending()
    {
        await using var bench = await RestartBench.StartAsync(
            BearerWithCdn, Bench.Impatient with { MemoryWriteDelay = TimeSpan.FromMilliseconds(1) });
        await bench.AssertReadsAsync(0, 1);
        // Killed now, a process must not have lost what it learned: another one starts without this one ending.
        while (!File.Exists(bench.MemoryPath) || !File.ReadAllText(bench.MemoryPath).Contains("X-Amz-Signature", StringComparison.Ordinal))
            await Task.Delay(5);
        bench.Start();
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Cdn", bench.TakeRequests());
    }

    [Fact]
    public async Task A_process_learns_from_what_another_one_wrote_meanwhile()
    {
        await using var bench = await RestartBench.StartAsync(
            BearerWithCdn with { UrlLifetime = TimeSpan.FromMinutes(1) },
            Bench.Impatient with { MemoryWriteDelay = TimeSpan.FromMilliseconds(1) });
        await bench.AssertReadsAsync(0, 1);
        bench.Bench.Clock.Advance(TimeSpan.FromMinutes(2));
        using (var other = new RegistryClient(bench.Bench.Options, bench.Bench.Log))
            await bench.AssertReadsAsync(1, 1, other);

        // Any change makes the first one write, and so read.
        var second = bench.Server.Content.AddBlob(Bench.Repository, [1, 2, 3]);
        await bench.Bench.ReadAsync(1, 1, bench.Client.OpenBlob(bench.Bench.Reference, second));
        while (!File.ReadAllText(bench.MemoryPath).Contains(second.Digest.ToString(), StringComparison.Ordinal))
            await Task.Delay(5);
        bench.TakeRequests();
        await bench.AssertReadsAsync(2, 1);
        Assert.Equal("Cdn", bench.TakeRequests());
    }

    [Fact]
    public async Task A_folder_others_may_write_to_is_not_used()
    {
        await using var bench = await RestartBench.StartAsync(BearerWithCdn);
        bench.Stop();
        File.Delete(bench.MemoryPath);
        File.SetUnixFileMode(bench.Folder, (UnixFileMode)0b111_111_111);
        bench.Start();
        await bench.AssertReadsAsync(0, 1);
        bench.Stop();
        Assert.False(File.Exists(bench.MemoryPath));
        Assert.Contains("nothing about registries is remembered", Assert.Single(bench.Warnings()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_folder_that_is_deleted_under_a_running_process_is_made_again()
    {
        await using var bench = await RestartBench.StartAsync(BearerWithCdn);
        await bench.AssertReadsAsync(0, 1);
        Directory.Delete(bench.Folder, recursive: true);
        bench.Restart();
        Assert.Equal(Ours | UnixFileMode.UserExecute, File.GetUnixFileMode(bench.Folder));
        await bench.AssertReadsAsync(1, 1);
        Assert.Equal("Cdn", bench.TakeRequests());
        Assert.Empty(bench.Warnings());
    }

    [Fact]
    public async Task What_could_not_be_written_is_written_when_that_is_possible_again()
    {
        await using var bench = await RestartBench.StartAsync(
            BearerWithCdn, Bench.Impatient with { MemoryWriteDelay = TimeSpan.FromMilliseconds(1) });
        Directory.Delete(bench.Folder, recursive: true);
        File.WriteAllText(bench.Folder, "");
        await bench.AssertReadsAsync(0, 1);
        while (!bench.Warnings().Any())
            await Task.Delay(5);
        File.Delete(bench.Folder);
        while (!File.Exists(bench.MemoryPath))
            await Task.Delay(5);
        Assert.Single(bench.Warnings());
    }

    [Fact]
    public async Task A_folder_that_cannot_be_made_is_a_warning()
    {
        await using var bench = await Bench.StartAsync(BearerWithCdn, Bench.Impatient with { MemoryPath = "/proc/lazysnap" });
        await bench.AssertReadsAsync(0, 1);
        Assert.Equal("Ping Token Blob Cdn", bench.TakeRequests());
        Assert.Contains(bench.Log.Lines, line => line.Contains("nothing about registries is remembered", StringComparison.Ordinal));
    }

    [Fact]
    public void More_than_a_file_may_hold_is_written_in_part_the_last_used_first()
    {
        var folder = Directory.CreateTempSubdirectory("lazysnap-memory-").FullName;
        try
        {
            var now = DateTimeOffset.UtcNow;
            var url = "https://cdn.example/" + new string('x', 4000);
            var locations = Enumerable.Range(0, 16_000).Select(i => new RememberedLocation(
                "r.example", "library/python", Digest.OfSha256(BitConverter.GetBytes(i))
                    .ToString(), "r.example/v2", now, now.AddHours(1), url)).ToList();
            var file = new MemoryFile(folder);
            file.Write(new MemoryDocument(new byte[32], null, null, locations, null, null));
            Assert.InRange(new FileInfo(file.Name).Length, 1, RegistryLimits.MemoryFileBytesMax);
            var read = file.Read()!.Locations!;
            Assert.InRange(read.Count, 1000, 15_999);
            Assert.Equal(locations.Take(read.Count), read);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Entries_that_hold_secrets_do_not_print_them()
    {
        var now = DateTimeOffset.UtcNow;
        var token = new RememberedToken("e", "s", "s", now, now, "m", "secret-token");
        var location = new RememberedLocation("r", "n", "d", "e", now, now, "https://cdn.example/?signature=secret");
        var document = new MemoryDocument([1], null, [token], [location], null, null);
        Assert.DoesNotContain("secret", $"{token} {location} {document}", StringComparison.Ordinal);
    }

    private static async Task<RestartBench> WrittenAsync()
    {
        var bench = await RestartBench.StartAsync(BearerWithCdn);
        await bench.AssertReadsAsync(0, 1);
        bench.Stop();
        return bench;
    }

    /// <param name="damage">Before it is given back the mode it had.</param>
    private static async Task AssertForgottenAsync(RestartBench bench, Action damage, string what, Action? after = null)
    {
        File.Delete(bench.MemoryPath);
        File.WriteAllText(bench.MemoryPath, "");
        damage();
        File.SetUnixFileMode(bench.MemoryPath, Ours);
        after?.Invoke();
        var before = bench.Warnings().Count();
        bench.Start();
        await bench.AssertReadsAsync(0, 1);
        Assert.True(bench.TakeRequests() == "Ping Token Blob Cdn", what);
        var line = Assert.Single(bench.Warnings().Skip(before));
        Assert.Contains("is forgotten and learned anew", line, StringComparison.Ordinal);
        if (!what.StartsWith("byte", StringComparison.Ordinal) && !what.StartsWith("cut", StringComparison.Ordinal))
            Assert.Contains(what, line, StringComparison.Ordinal);

        // And from now on it is remembered again.
        bench.Restart();
        await bench.AssertReadsAsync(1, 1);
        Assert.True(bench.TakeRequests() == "Cdn", what);
        bench.Stop();
    }

    private static void Seal(string path, string content)
    {
        content = content.Replace("\"KEY\"", $"\"{Convert.ToBase64String(new byte[32])}\"", StringComparison.Ordinal);
        var digest = Digest.OfSha256(Encoding.UTF8.GetBytes(content)).Hex;
        File.WriteAllText(path, $$"""{"format":"lazysnap registry memory","version":1,"sha256":"{{digest}}"}""" + "\n" + content + "\n");
    }
}
