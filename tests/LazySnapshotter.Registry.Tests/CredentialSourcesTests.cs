using System.Runtime.Versioning;
using System.Text;
using LazySnapshotter.Registry.Auth;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Logging;

namespace LazySnapshotter.Registry.Tests;

// Finding credentials where `docker login` left them. Helpers are real programs on PATH.
[SupportedOSPlatform("linux")]
public sealed class CredentialSourcesTests : IDisposable
{
    private static readonly string PathBefore = Environment.GetEnvironmentVariable("PATH") ?? "";

    private readonly string _folder = Directory.CreateTempSubdirectory("lazysnap-docker-").FullName;
    private readonly CapturedLogs _log = new();
    private readonly PullSecrets _pullSecrets = new();

    public CredentialSourcesTests() => Environment.SetEnvironmentVariable("PATH", _folder + ":" + PathBefore);

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("PATH", PathBefore);
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData("registry.example", "registry.example")]
    [InlineData("registry.example:5000", "registry.example:5000")]
    [InlineData("https://registry.example", "registry.example")]
    [InlineData("https://registry.example/v1/", "registry.example")]
    [InlineData("http://registry.example/v2", "registry.example")]
    [InlineData("registry.example/v2/", "registry.example")]
    [InlineData("Registry.Example", "registry.example")]
    [InlineData("https://index.docker.io/v1/", "docker.io")]
    [InlineData("docker.io", "docker.io")]
    [InlineData("registry-1.docker.io", "docker.io")]
    public async Task Entries_are_found_under_every_name_docker_gives_them(string key, string host) =>
        Assert.Equal(
            "someone:secret", await FindAsync($$$$"""{"auths":{"{{{{key}}}}":{"auth":"{{{{Base64("someone:secret")}}}}"}}}""", host));

    [Theory]
    [InlineData("registry.example", "registry.example:5000")]
    [InlineData("registry.example:5000", "registry.example")]
    [InlineData("registry.example", "evil-registry.example")]
    [InlineData("registry.example/team", "registry.example")]
    [InlineData("https://index.docker.io/v1/", "index.docker.io.evil.example")]
    public async Task Entries_of_another_host_are_not_taken(string key, string host) =>
        Assert.Null(await FindAsync($$$$"""{"auths":{"{{{{key}}}}":{"auth":"{{{{Base64("someone:secret")}}}}"}}}""", host));

    [Theory]
    [InlineData("team/image", "image")]
    [InlineData("team/image/debug", "image")]
    [InlineData("team/other", "team")]
    [InlineData("team", "team")]
    [InlineData("team/imagery", "team")]
    [InlineData("teamwork/image", "host")]
    [InlineData("other", "host")]
    [InlineData(null, "host")]
    public async Task The_most_specific_entry_wins(string? repository, string expected) =>
        Assert.Equal($"{expected}:secret", await FindAsync(
            """
            {"auths":{
              "r.example":{"username":"host","password":"secret"},
              "r.example/team":{"username":"team","password":"secret"},
              "R.example/team/image/":{"username":"image","password":"secret"},
              "https://r.example/teamwork":{"username":"host","password":"secret"},
              "other.example/team/image":{"username":"wrong","password":"secret"}}}
            """, "r.example", repository));

    [Fact]
    public async Task An_entry_for_repositories_of_Docker_Hub_is_found_by_its_full_name() =>
        Assert.Equal("a:b", await FindAsync(
            """{"auths":{"docker.io/library/python":{"username":"a","password":"b"}}}""", "docker.io", "library/python"));

    [Fact]
    public async Task What_was_handed_over_for_a_repository_is_for_it_alone_and_comes_first()
    {
        const string Config = """{"auths":{"r.example":{"username":"file","password":"secret"}}}""";
        Assert.True(_pullSecrets.Set("R.example", "team/image", Credentials.Of("label", "secret")));
        Assert.False(_pullSecrets.Set("r.example", "team/image", Credentials.Of("label", "secret")));
        Assert.Equal("label:secret", await FindAsync(Config, "r.example", "team/image"));
        Assert.Equal("file:secret", await FindAsync(Config, "r.example", "team/image2"));
        Assert.Equal("file:secret", await FindAsync(Config, "r.example"));
        Assert.Null(await FindAsync(Config, "r.example:443", "team/image"));
        Assert.True(_pullSecrets.Set("r.example", "team/image", Credentials.Of("", "T")));
        Assert.Equal("token T", await FindAsync(Config, "r.example", "team/image"));
    }

    [Fact]
    public void Of_too_many_handed_over_the_oldest_make_room()
    {
        for (var i = 0; i <= RegistryLimits.PullSecretsMax; i++)
            _pullSecrets.Set("r.example", $"image{i}", Credentials.Of("a", "b"));
        Assert.Null(_pullSecrets.Find("r.example", "image0"));
        Assert.NotNull(_pullSecrets.Find("r.example", "image1"));
        Assert.NotNull(_pullSecrets.Find("r.example", $"image{RegistryLimits.PullSecretsMax}"));
    }

    [Fact]
    public async Task The_content_of_a_config_may_stand_in_the_environment_and_comes_before_files()
    {
        Environment.SetEnvironmentVariable(
            CredentialSources.EnvironmentVariable, """{"auths":{"env.example":{"username":"env","password":"secret"}}}""");
        try
        {
            const string Config =
                """{"auths":{"env.example":{"username":"file","password":"b"},"file.example":{"username":"file","password":"b"}}}""";
            Assert.Equal("env:secret", await FindAsync(Config, "env.example"));
            Assert.Equal("file:b", await FindAsync(Config, "file.example"));
            Environment.SetEnvironmentVariable(CredentialSources.EnvironmentVariable, "secret, not JSON");
            Assert.Equal("file:b", await FindAsync(Config, "env.example"));
            Assert.Contains("$DOCKER_AUTH_CONFIG", Assert.Single(_log.Lines), StringComparison.Ordinal);
            Assert.DoesNotContain("secret", _log.Text, StringComparison.Ordinal);
        }
        finally
        {
            Environment.SetEnvironmentVariable(CredentialSources.EnvironmentVariable, null);
        }
    }

    [Theory]
    [InlineData("HOME=/h", "/h/.docker/config.json /run/containers/0/auth.json /h/.config/containers/auth.json")]
    [InlineData(
        "HOME=/h XDG_RUNTIME_DIR=/run/user/7", "/h/.docker/config.json /run/user/7/containers/auth.json /h/.config/containers/auth.json")]
    [InlineData("HOME=/h DOCKER_CONFIG=/d REGISTRY_AUTH_FILE=/a.json XDG_RUNTIME_DIR=/r XDG_CONFIG_HOME=/c",
        "/a.json /d/config.json /r/containers/auth.json /c/containers/auth.json")]
    [InlineData("XDG_RUNTIME_DIR=/r", "/r/containers/auth.json")]
    [InlineData("HOME=. XDG_RUNTIME_DIR=/r", "/r/containers/auth.json")]
    public void Files_are_asked_in_an_order(string environment, string expected)
    {
        var variables = environment.Split(' ').Select(v => v.Split('=')).ToDictionary(v => v[0], v => v[1]);
        var paths = CredentialFiles.Paths(name => variables.GetValueOrDefault(name));
        if (!Environment.IsPrivilegedProcess)
            expected = expected.Replace("/run/containers/0/auth.json ", "", StringComparison.Ordinal);
        Assert.Equal(expected, string.Join(' ', paths));
    }

    [Theory]
    [InlineData("""{"username":"someone","password":"secret"}""", "someone:secret")]
    [InlineData("""{"auth":"c29tZW9uZTpzZWM6cmV0"}""", "someone:sec:ret")]
    [InlineData("""{"auth":"c29tZW9uZTpzZWNyZXQAAA=="}""", "someone:secret")]
    [InlineData("""{"auth":"","identitytoken":"T"}""", "token T")]
    [InlineData("""{"auth":"PHRva2VuPjpU"}""", "token T")]
    [InlineData("""{"auth":"c29tZW9uZTpzZWNyZXQ=","email":"a@b","unknown":{"x":[1]}}""", "someone:secret")]
    [InlineData("{}", null)]
    [InlineData("null", null)]
    public async Task Entries_come_in_several_forms(string entry, string? expected) =>
        Assert.Equal(expected, await FindAsync($$$$"""{"auths":{"r.example":{{{{entry}}}}}}""", "r.example"));

    [Theory]
    [InlineData("{\"auths\":{\"r.example\":{\"auth\":\"not base64!\"}}}", "not base64")]
    [InlineData("{\"auths\":{\"r.example\":{\"auth\":\"c2VjcmV0\"}}}", "not a name and a password")]
    [InlineData("{\"auths\":{\"r.example\":{\"auth\":\"secret\"", "not valid JSON")]
    [InlineData("{\"auths\":[]}", "not valid JSON")]
    [InlineData("null", "null")]
    public async Task What_cannot_be_read_is_a_warning_that_names_the_file_and_keeps_the_secret(string json, string complaint)
    {
        Assert.Null(await FindAsync(json, "r.example"));
        var warning = Assert.Single(_log.Lines);
        Assert.StartsWith("Warning", warning, StringComparison.Ordinal);
        Assert.Contains(Path.Combine(_folder, "config.json"), warning, StringComparison.Ordinal);
        Assert.Contains(complaint, warning, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", warning, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_too_long_is_not_read()
    {
        Assert.Null(await FindAsync(new string(' ', (1 << 20) + 1), "r.example"));
        Assert.Contains("longer than 1048576 bytes", _log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_file_means_no_credentials_and_no_warning()
    {
        Assert.Null(await FindAsync(null, "r.example"));
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public async Task The_folder_in_DOCKER_CONFIG_is_looked_into()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "config.json"), """{"auths":{"r.example":{"username":"a","password":"b"}}}""");
        var before = Environment.GetEnvironmentVariable("DOCKER_CONFIG");
        Environment.SetEnvironmentVariable("DOCKER_CONFIG", _folder);
        try
        {
            Assert.NotNull(await new CredentialSources(new RegistryOptions(), new PullSecrets(), _log)
                .FindAsync("r.example", null, CancellationToken.None));
        }
        finally
        {
            Environment.SetEnvironmentVariable("DOCKER_CONFIG", before);
        }
    }

    [Theory]
    [InlineData("""{"credsStore":"fake"}""")]
    [InlineData("""{"credHelpers":{"r.example:5000":"fake"}}""")]
    [InlineData("""{"credsStore":"none","credHelpers":{"r.example:5000":"fake"}}""")]
    public async Task A_helper_is_asked_for_the_host(string config)
    {
        WriteHelper("fake", """test "$1" = get && read host && printf '{"ServerURL":"%s","Username":"u-%s","Secret":"helper-secret"}' "$host" "$host" """);
        Assert.Equal("u-r.example:5000:helper-secret", await FindAsync(config, "r.example:5000"));
        Assert.DoesNotContain("helper-secret", _log.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task For_Docker_Hub_the_helper_is_asked_by_its_old_name()
    {
        WriteHelper("fake", """read host; printf '{"Username":"<token>","Secret":"%s"}' "$host" """);
        Assert.Equal("token https://index.docker.io/v1/", await FindAsync("""{"credsStore":"fake"}""", "docker.io"));
    }

    [Fact]
    public async Task A_helper_that_knows_nothing_leaves_the_file_to_answer()
    {
        WriteHelper("fake", "echo 'credentials not found in native keychain'; exit 1");
        Assert.Equal(
            "a:b", await FindAsync("""{"credsStore":"fake","auths":{"r.example":{"username":"a","password":"b"}}}""", "r.example"));
        Assert.Empty(_log.Lines);
    }

    [Theory]
    [InlineData("echo helper-secret; echo helper-secret >&2; exit 3", "exit code 3")]
    [InlineData("echo helper-secret", "not the JSON of a credential helper")]
    [InlineData("echo '{\"Username\":\"\",\"Secret\":\"helper-secret\"}'", "no name and secret")]
    [InlineData("cat > /dev/null; yes helper-secret", "more than 65536 bytes")]
    [InlineData("exec sleep 60", "did not answer within 1 s")]
    [InlineData("exec 0<&-; exit 4", "exit code 4")]
    public async Task A_helper_that_fails_is_a_warning_without_its_words(string script, string complaint)
    {
        WriteHelper("fake", script);
        Assert.Null(await FindAsync("""{"credsStore":"fake"}""", "r.example"));
        var warning = Assert.Single(_log.Lines);
        Assert.Contains("docker-credential-fake cannot be used: ", warning, StringComparison.Ordinal);
        Assert.Contains(complaint, warning, StringComparison.Ordinal);
        Assert.DoesNotContain("helper-secret", warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("missing")]
    [InlineData("../../bin/sh")]
    [InlineData("fake -c")]
    public async Task A_helper_that_is_no_program_on_the_path_is_a_warning(string helper)
    {
        Assert.Null(await FindAsync($$"""{"credsStore":"{{helper}}"}""", "r.example"));
        Assert.Single(_log.Lines);
    }

    // "name:password", "token T", or null.
    private async Task<string?> FindAsync(string? config, string host, string? repository = null)
    {
        var path = Path.Combine(_folder, "config.json");
        if (config is not null)
            await File.WriteAllTextAsync(path, config);
        var options = new RegistryOptions { DockerConfigPath = path, CredentialHelperTimeout = TimeSpan.FromSeconds(1) };
        return Describe(await new CredentialSources(options, _pullSecrets, _log).FindAsync(host, repository, CancellationToken.None));
    }

    private static string? Describe(Credentials? found) => found is null ? null
        : found.IdentityToken is { } token ? "token " + token
        : Encoding.UTF8.GetString(Convert.FromBase64String(found.ToBasic()!.Parameter!));

    private void WriteHelper(string name, string script)
    {
        var path = Path.Combine(_folder, "docker-credential-" + name);
        File.WriteAllText(path, "#!/bin/sh\n" + script + "\n");
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
