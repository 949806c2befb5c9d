using System.Text.Json;
using System.Text.Json.Serialization;
using MlNetDistill.Core;
using MlNetDistill.Methods;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Training;

/// <summary>
/// Everything that training changes, as plain data: numbers, texts and named tensors. The loop keeps nothing of its own, so what is saved at the end of an epoch
/// is all that is needed to resume training.
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

    /// <summary>The name of the generator of the rows' order.</summary>
    public const string ShufflingName = "shuffling";

    /// <summary>The name of the generator of the process.</summary>
    public const string ProcessName = "process";

    private IReadOnlyDictionary<string, Tensor>? _loaded;

    /// <summary>Whether the run has ended, not by cancellation.</summary>
    public bool IsFinished { get; set; }

    /// <summary>Number of phases begun.</summary>
    public int Phases { get; set; }

    /// <summary>Number of epochs begun, of all phases; also the number of the view of augmented rows.</summary>
    public int Epochs { get; set; }

    /// <summary>Number of steps, of all phases.</summary>
    public long Steps { get; set; }

    /// <summary>The training time so far.</summary>
    public TimeSpan Elapsed { get; set; }

    /// <summary>The best epoch of all phases, if a cancelled run returns it.</summary>
    public BestEpoch Best { get; init; } = new();

    /// <summary>The present stage; null before the first and after each.</summary>
    public StageState? Stage { get; set; }

    /// <summary>The progress after each epoch.</summary>
    public List<TrainingProgress> History { get; init; } = [];

    /// <summary>The decisions of the method.</summary>
    public List<MethodDecision> Decisions { get; init; } = [];

    /// <summary>The warnings about stages and epochs.</summary>
    public HashSet<string> Warnings { get; init; } = [];

    [JsonIgnore]
    public Network? Student { get; init; }

    /// <summary>Draws the order of rows.</summary>
    [JsonIgnore]
    public Generator? Shuffling { get; init; }

    /// <summary>Draws the initial weights of projections.</summary>
    [JsonIgnore]
    public Generator? Projecting { get; init; }

    /// <summary>Draws the quiz batches of bilevel stages.</summary>
    [JsonIgnore]
    public Generator? Quizzing { get; init; }

    /// <summary>The state before the first phase.</summary>
    public static TrainingState Start(Network student, Seeds seeds, string role) => new()
    {
        Student = student,
        Shuffling = seeds.CreateGenerator($"{role} shuffling"),
        Projecting = seeds.CreateGenerator($"{role} projections"),
        Quizzing = seeds.CreateGenerator($"{role} quiz batches"),
    };

    /// <summary>The state of a stage that is about to begin, which becomes the present stage.</summary>
    public StageState BeginStage(string name, bool startsTrained) => Stage = new StageState
    {
        Name = name,
        IsFirst = Steps == 0 && !startsTrained,
        Generators = GeneratorStates().ToDictionary(s => s.Key, s => s.Value.DetachFromDisposeScope()),
    };

    /// <summary>Every tensor by name. During training these are the tensors that training changes, not copies; generators' states are in the current dispose scope.</summary>
    public IReadOnlyDictionary<string, Tensor> Tensors() => _loaded ?? new (string Group, IEnumerable<KeyValuePair<string, Tensor>>? Tensors)[]
    {
        ("student", Student!.state_dict()),
        ("best", Best.Weights?.Values),
        ("generators", GeneratorStates()),
        ("stage/best", Stage?.Best.Weights?.Values),
        ("stage/generators", Stage?.Generators),
        ("stage/epoch", Stage?.EpochShuffling is { } shuffling ? [KeyValuePair.Create(ShufflingName, shuffling)] : null),
        ("stage/optimizer", Stage?.OptimizerTensors()),
        ("stage/projections", Stage?.Projections?.Tensors()),
        ("stage/teacher", Stage?.TeacherCopy?.Network.state_dict()),
        ("stage/teacherOptimizer", Stage?.TeacherOptimizerTensors()),
    }.SelectMany(group => (group.Tensors ?? []).Select(t => (Name: $"{group.Group}/{t.Key}", t.Value))).ToDictionary(t => t.Name, t => t.Value);

    /// <summary>Writes the state; the stream stays open.</summary>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        using var scope = NewDisposeScope();
        TensorFile.Write(stream, Tensors(), JsonSerializer.Serialize(this, Json));
    }

    /// <summary>Reads a state that <see cref="Save"/> wrote. Its tensors are on the CPU.</summary>
    /// <param name="stream">A stream that can seek; it is read to its end.</param>
    /// <exception cref="InvalidDataException">The file is damaged or has another format; the message says where.</exception>
    public static TrainingState Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var (tensors, text) = TensorFile.Read(stream);
        try
        {
            var state = JsonSerializer.Deserialize<TrainingState>(text, Json) ?? throw new JsonException("null");
            // JSON may have null in a list of what is never null.
            if (state.History.Contains(null!) || state.Decisions.Contains(null!) || state.Warnings.Contains(null!))
                throw new JsonException("A list has an entry that is null.");
            state._loaded = tensors;
            return state;
        }
        catch (Exception fault)
        {
            foreach (var tensor in tensors.Values)
                tensor.Dispose();
            if (fault is not JsonException)
                throw;
            throw TensorFile.CreateReadError($"its counters are of another version: {fault.Message.TrimEnd('.')}", fault);
        }
    }

    /// <summary>The generators of the run by name.</summary>
    public IEnumerable<(string Name, Generator Generator)> Generators() => [(ShufflingName, Shuffling!), ("projecting", Projecting!), ("quizzing", Quizzing!)];

    // In the current dispose scope. User-defined networks and losses may draw from the generator of the process.
    private Dictionary<string, Tensor> GeneratorStates() =>
        Generators().Select(g => (g.Name, State: g.Generator.get_state())).Append((Name: ProcessName, State: random.get_rng_state())).ToDictionary(s => s.Name, s => s.State);

    public void Dispose()
    {
        foreach (var tensor in _loaded?.Values ?? [])
            tensor.Dispose();
        Shuffling?.Dispose();
        Projecting?.Dispose();
        Quizzing?.Dispose();
        Best.Dispose();
        Stage?.Dispose();
    }
}
