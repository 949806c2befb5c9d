using System.Text.Json;
using System.Text.Json.Serialization;
using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>
/// Everything that training changes, as plain data: numbers, words and named tensors. The loop keeps nothing of its own, so that what is saved at the end of an
/// epoch is all that training needs to go on from there.
/// </summary>
internal sealed class TrainingState : IDisposable
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        IgnoreReadOnlyProperties = true,
    };

    private IReadOnlyDictionary<string, Tensor>? _loaded;

    /// <summary>Phases begun.</summary>
    public int Phases { get; set; }

    /// <summary>Epochs begun, of all phases: the number of the view of augmented rows.</summary>
    public int Epochs { get; set; }

    /// <summary>Steps taken, of all phases.</summary>
    public long Steps { get; set; }

    /// <summary>Time that training took so far.</summary>
    public TimeSpan Elapsed { get; set; }

    /// <summary>The best epoch of all phases, where a cancelled run returns it.</summary>
    public BestEpoch Best { get; init; } = new();

    /// <summary>The stage at work; null before the first, and behind each.</summary>
    public StageState? Stage { get; set; }

    /// <summary>How training stood after each epoch.</summary>
    public List<TrainingProgress> History { get; init; } = [];

    /// <summary>What the method decided on the way.</summary>
    public List<MethodDecision> Decisions { get; init; } = [];

    /// <summary>What was warned of before a stage.</summary>
    public HashSet<string> Warnings { get; init; } = [];

    [JsonIgnore]
    public Network? Student { get; init; }

    /// <summary>What the order of rows is drawn with.</summary>
    [JsonIgnore]
    public Generator? Shuffling { get; init; }

    /// <summary>What initial weights of projections are drawn with.</summary>
    [JsonIgnore]
    public Generator? Projecting { get; init; }

    /// <summary>The state before the first phase.</summary>
    public static TrainingState Start(Network student, Seeds seeds, string role) => new()
    {
        Student = student,
        Shuffling = seeds.CreateGenerator($"{role} shuffling"),
        Projecting = seeds.CreateGenerator($"{role} projections"),
    };

    /// <summary>The state of a stage that is about to begin, which is the stage at work from now on.</summary>
    public StageState BeginStage(string name, bool startsTrained) => Stage = new StageState
    {
        Name = name,
        IsFirst = Steps == 0 && !startsTrained,
        Generators = GeneratorStates().ToDictionary(s => s.Key, s => s.Value.DetachFromDisposeScope()),
    };

    /// <summary>Every tensor by name. Those of a state at work are the very tensors that training changes; generators' states are in the current dispose scope.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors() => _loaded ?? new (string Group, IEnumerable<KeyValuePair<string, Tensor>>? Tensors)[]
    {
        ("student", Student!.state_dict()),
        ("best", Best.Weights?.Values),
        ("generators", GeneratorStates()),
        ("stage/best", Stage?.Best.Weights?.Values),
        ("stage/generators", Stage?.Generators),
        ("stage/optimizer", Stage?.OptimizerTensors()),
        ("stage/projections", Stage?.Projections?.Tensors()),
    }.SelectMany(group => (group.Tensors ?? []).Select(t => (Name: $"{group.Group}/{t.Key}", t.Value))).ToDictionary(t => t.Name, t => t.Value);

    /// <summary>Writes everything; the stream stays open.</summary>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var scope = NewDisposeScope();
        TensorFile.Write(stream, Tensors(), JsonSerializer.Serialize(this, Json));
    }

    /// <summary>A state that <see cref="Save"/> wrote, with tensors of its own on the CPU.</summary>
    /// <param name="stream">The bytes, to its end; it must be able to seek.</param>
    /// <exception cref="InvalidDataException">The bytes are not those that were written; the message names the tensor.</exception>
    public static TrainingState Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var (tensors, text) = TensorFile.Read(stream);
        try
        {
            var state = JsonSerializer.Deserialize<TrainingState>(text, Json) ?? throw new JsonException("null");
            state._loaded = tensors;
            return state;
        }
        catch (JsonException fault)
        {
            foreach (var tensor in tensors.Values)
                tensor.Dispose();
            throw TensorFile.Unreadable($"its counters are of another version: {fault.Message.TrimEnd('.')}", fault);
        }
    }

    // In the current dispose scope. Networks and losses of an application's own may draw from the process's.
    private Dictionary<string, Tensor> GeneratorStates() => new()
    {
        ["shuffling"] = Shuffling!.get_state(),
        ["projecting"] = Projecting!.get_state(),
        ["process"] = random.get_rng_state(),
    };

    public void Dispose()
    {
        foreach (var tensor in _loaded?.Values ?? [])
            tensor.Dispose();
        Shuffling?.Dispose();
        Projecting?.Dispose();
        Best.Dispose();
        Stage?.Dispose();
    }
}
