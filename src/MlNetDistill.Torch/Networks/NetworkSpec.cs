using System.Text.Json;
using System.Text.Json.Serialization;
using MlNetDistill.Core;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// A small immutable description of a network, from which it is built once the input's shape and the number of logits are known.
/// Make one with a static method such as <see cref="Mlp"/>, or derive your own network from this record.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "network", UnknownDerivedTypeHandling = JsonUnknownDerivedTypeHandling.FallBackToBaseType)]
[JsonDerivedType(typeof(MlpSpec), "mlp")]
[JsonDerivedType(typeof(ResNetSpec), "resnet")]
[JsonDerivedType(typeof(WideResNetSpec), "wideresnet")]
[JsonDerivedType(typeof(VggSpec), "vgg")]
[JsonDerivedType(typeof(MobileNetV2Spec), "mobilenetv2")]
[JsonDerivedType(typeof(ShuffleNetV1Spec), "shufflenetv1")]
[JsonDerivedType(typeof(ShuffleNetV2Spec), "shufflenetv2")]
[JsonDerivedType(typeof(ProjectedSpec), "projected")]
public abstract partial record NetworkSpec
{
    // JSON in which a part is missing is an error, not a specification with defaults.
    private static readonly JsonSerializerOptions Reading = new() { RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true };

    /// <summary>A short name for logs and tables, for example <c>MLP 64-32</c>.</summary>
    [JsonIgnore]
    public abstract string Name { get; }

    /// <summary>How the network scales its input; <see cref="InputScaling.Auto"/> by default.</summary>
    [JsonConverter(typeof(JsonStringEnumConverter<InputScaling>))]
    public InputScaling InputScaling { get; init; } = InputScaling.Auto;

    /// <summary>Whether the network reads images: a feature vector then needs an image shape.</summary>
    [JsonIgnore]
    public virtual bool NeedsImages => false;

    /// <summary>The shape given with the specification, or null to take it from the data.</summary>
    [JsonIgnore]
    public virtual InputShape? Image => null;

    /// <summary>
    /// The learning rate of AdamW that trains such a network well where none is set, above 0; see docs/training.md for the measurements. 0.002 unless a network
    /// overrides it.
    /// </summary>
    [JsonIgnore]
    public virtual double DefaultLearningRate => 0.002;

    /// <summary>Builds the network with weights drawn from <paramref name="seed"/> alone.</summary>
    /// <exception cref="ArgumentException">The specification has faults, or the network cannot read rows of this shape.</exception>
    /// <exception cref="InvalidOperationException">Its weights need more memory than is available to the process, or have no values.</exception>
    /// <exception cref="TorchUnavailableException">TorchSharp's native library cannot be loaded.</exception>
    public Network Build(NetworkInput input, int logitCount, int seed)
    {
        ArgumentNullException.ThrowIfNull(input);
        TorchLibrary.EnsureLoaded();
        var faults = Faults.Lines([.. input.Validate(logitCount), .. Validate(), .. ValidateShape(input.Shape) is { } fault ? [fault] : Array.Empty<string>()]);
        if (faults.Length > 0)
            throw new ArgumentException(faults);
        // Weights created in the caller's inference mode could never be trained.
        using var mode = new TrainingMode();
        // First with a low limit, beyond which weights are only counted: allocating the first layers of a network that is too large could take minutes.
        var network = TryBuild(input, logitCount, seed, WeightMemory.UncheckedBytes) ?? TryBuild(input, logitCount, seed, WeightMemory.Available)!;
        try
        {
            return MoveToCpuFloat32(network);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>What is wrong with this specification, one sentence per fault; empty if nothing.</summary>
    public virtual IEnumerable<string> Validate() => [];

    /// <summary>Why the network cannot read rows of <paramref name="shape"/>, as one sentence; null if it can.</summary>
    public virtual string? ValidateShape(InputShape shape) => null;

    /// <summary>The specification as JSON. For a user-defined network it is only a description: <see cref="FromJson"/> cannot read it.</summary>
    public string ToJson() => JsonSerializer.Serialize(this);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="JsonException">The text is not a specification of a built-in network.</exception>
    public static NetworkSpec FromJson(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            var spec = JsonSerializer.Deserialize<NetworkSpec>(json, Reading) ?? throw new JsonException("It is 'null'.");
            // A number beyond the largest is read as infinity, which cannot be written.
            _ = spec.ToJson();
            return spec;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or ArgumentException)
        {
            throw new JsonException($"The text does not describe a built-in network: {e.Message} Pass the result of NetworkSpec.ToJson.", e);
        }
    }

    /// <summary>Its name, and the image shape and the scaling of its input if they are given.</summary>
    public sealed override string ToString() => Name
        + (Image is { } image ? $", images {image}" : "") + (InputScaling == InputScaling.Auto ? "" : $", input scaling {InputScaling}");

    /// <summary>Builds the network; null if its weights fit into memory but take more than <paramref name="byteLimit"/> bytes.</summary>
    private Network? TryBuild(NetworkInput input, int logitCount, int seed, long byteLimit)
    {
        using var generator = new Seeds(seed).CreateGenerator("weights");
        using var memory = new WeightMemory(byteLimit);
        Network? network = null;
        try
        {
            network = new Network(input, Plan(input.Shape, logitCount, generator), logitCount, generator);
        }
        catch (Exception) when (memory.IsPastLimit)
        {
            // A block read values of weights that were only counted.
        }

        if (!memory.IsPastLimit)
            return network!;
        network?.Dispose();
        return memory.IsExceeded ? throw memory.CreateError($"{Name} over {input.Shape} with {logitCount} logits") : null;
    }

    /// <summary>Moves the network to the CPU and to 32-bit floats: TorchSharp's defaults may have been others when user-defined modules were created.</summary>
    private Network MoveToCpuFloat32(Network network)
    {
        if (network.state_dict().FirstOrDefault(s => s.Value.device_type == DeviceType.META) is { Key: { } name })
        {
            throw new InvalidOperationException(
                $"{Name}: '{name}' is on the device 'meta', where tensors have shapes and no values. Make the network's modules on the CPU.");
        }

        if (network.state_dict().Values.Any(value => value.device_type != DeviceType.CPU || (value.is_floating_point() && value.dtype != float32)))
            network.to(CPU, float32);
        // Like TorchSharp's modules, a network lives until it is disposed, not until the end of the dispose scope in which it was built.
        foreach (var value in network.state_dict().Values)
            value.DetachFromDisposeScope();
        return network;
    }

    /// <summary>The blocks, for a specification that contains this one.</summary>
    internal NetworkPlan CreatePlan(InputShape shape, int logitCount, Generator generator) => Plan(shape, logitCount, generator);

    /// <summary>Lays out the blocks for rows of <paramref name="shape"/>.</summary>
    /// <param name="shape">Shape of one row, for which <see cref="ValidateShape"/> returned null.</param>
    /// <param name="logitCount">Number of logits K, for a network that <see cref="NetworkPlan.EndsInLogits"/>.</param>
    /// <param name="generator">Draws the initial weights. Use no other source of randomness, so that the same seed gives the same network.</param>
    protected abstract NetworkPlan Plan(InputShape shape, int logitCount, Generator generator);
}
