using System.Text.Json;
using System.Text.Json.Serialization;
using MlNetDistill.Core;
using MlNetDistill.Fitting;

namespace MlNetDistill.Searching;

/// <summary>Finished trainings, in a folder so that a later search continues there, or nowhere.</summary>
internal sealed class TrialStore
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        IgnoreReadOnlyProperties = true,
    };

    private readonly string? _folder;

    /// <param name="folder">The folder of the user, or null to keep nothing.</param>
    /// <param name="fingerprint">A hash of everything that all trainings depend on; it names a sub-folder.</param>
    public TrialStore(string? folder, string fingerprint)
    {
        if (folder is not null)
            _folder = WriteFailure.CreateFolder(Path.Combine(folder, $"search-{fingerprint[..16]}"), "finished trainings of the search");
    }

    /// <summary>A finished training with its weights; null if there is none.</summary>
    /// <exception cref="InvalidDataException">A file cannot be read.</exception>
    public TrialResult? Find(string setting)
    {
        if (_folder is null || !File.Exists(PathOf(setting, ".json")))
            return null;
        var found = Read<TrialResult>(PathOf(setting, ".json"));
        if (found.Setting != setting || (found.Failure is null && !File.Exists(PathOf(setting, ".weights"))))
            return null;
        return found.Failure is null ? found with { Weights = File.ReadAllBytes(PathOf(setting, ".weights")) } : found;
    }

    /// <summary>Keeps a finished training. Its weights are written first, so that they are complete where the result is.</summary>
    public void Add(TrialResult result)
    {
        if (_folder is null)
            return;
        if (result.Weights is { } weights)
            AtomicFile.Write(PathOf(result.Setting, ".weights"), stream => stream.Write(weights), "the weights of a finished training of the search");
        Write(PathOf(result.Setting, ".json"), result);
    }

    /// <summary>The budget that a time limit became in an earlier run; null if there is none.</summary>
    public double? FindBudget(string options) => _folder is not null && File.Exists(PathOf(options, ".budget")) ? Read<double>(PathOf(options, ".budget")) : null;

    /// <summary>Keeps the budget that a time limit became.</summary>
    public void AddBudget(string options, double budget)
    {
        if (_folder is not null)
            Write(PathOf(options, ".budget"), budget);
    }

    private string PathOf(string key, string extension) => Path.Combine(_folder!, Fingerprint.Compute(key)[..16] + extension);

    private static void Write<T>(string path, T value) => AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, value, Json), "a finished training of the search");

    private static T Read<T>(string path)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllText(path), Json) ?? throw new JsonException("It is 'null'.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{path}' should hold a finished training of a search, and cannot be read: {e.Message} Delete the file, and the search trains it again.", e);
        }
    }
}
