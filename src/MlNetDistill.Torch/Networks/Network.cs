using MlNetDistill.Core;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MlNetDistill.Networks;

/// <summary>
/// A classifier made of blocks: input block, body, and a linear layer from the embedding to the logits. Its forward pass returns the logits and, if requested,
/// the embedding and the stage features.
/// </summary>
/// <remarks>In training mode, only one thread at a time may run forward passes.</remarks>
public sealed class Network : nn.Module<Tensor, NetworkOutput>
{
    private readonly InputBlock _input;
    private readonly ModuleList<Block> _body;
    private readonly Linear _head;
    private readonly List<int> _taps;

    // Parameters that a user-defined module created with requires_grad off.
    private readonly HashSet<string> _untrained;

    /// <summary>A network over <paramref name="input"/> that ends in <paramref name="logitCount"/> logits.</summary>
    /// <param name="input">The input of the network.</param>
    /// <param name="plan">Its blocks.</param>
    /// <param name="logitCount">Number of logits.</param>
    /// <param name="generator">Draws the initial weights of the last layer.</param>
    /// <exception cref="ArgumentException">The plan's body ends in another number of logits, or a tap is not the index of a block.</exception>
    public Network(NetworkInput input, NetworkPlan plan, int logitCount, Generator generator)
        : base("network")
    {
        ArgumentNullException.ThrowIfNull(input);
        ArgumentNullException.ThrowIfNull(plan);
        ArgumentNullException.ThrowIfNull(generator);
        if (plan.EndsInLogits && plan.EmbeddingLength != logitCount)
            throw new ArgumentException($"The network's body ends in {plan.EmbeddingLength} logits, but {logitCount} are wanted. Make the body end in one logit per class.");
        if (plan.Taps.Any(tap => tap < 0 || tap >= plan.Body.Count))
            throw new ArgumentException($"The network taps the blocks [{NumberText.Join(plan.Taps)}], but its body has {plan.Body.Count} {(plan.Body.Count == 1 ? "block" : "blocks")}, counted from 0.");
        Input = input;
        EmbeddingLength = plan.EmbeddingLength;
        LogitCount = logitCount;
        _input = new InputBlock(input);
        _body = new ModuleList<Block>([.. plan.Body]);
        _head = plan.EndsInLogits ? Linear.Identity(logitCount) : new Linear(plan.EmbeddingLength, logitCount, generator);
        _taps = [.. plan.Taps.Order()];
        RegisterComponents();
        _untrained = [.. named_parameters().Where(p => !p.parameter.requires_grad).Select(p => p.name)];
    }

    /// <summary>The input of the network.</summary>
    public NetworkInput Input { get; }

    /// <summary>The names of its classes in the order of its logits; null if they are unknown.</summary>
    internal IReadOnlyList<string>? ClassNames { get; set; }

    /// <summary>Number of logits K: of a classifier one a class.</summary>
    public int LogitCount { get; }

    /// <summary>Length of the embedding.</summary>
    public int EmbeddingLength { get; }

    /// <summary>The last layer, from embedding to logits; a fixed identity if the body already ends in the logits.</summary>
    public Linear Head => _head;

    /// <summary>
    /// Number of trainable parameters. Parameters that a user-defined module created with <c>requires_grad</c> off do not count; those that a stage freezes do.
    /// </summary>
    public long ParameterCount => named_parameters().Where(p => !_untrained.Contains(p.name)).Sum(p => p.parameter.numel());

    /// <summary>Whether the embedding is the unscaled feature vector itself: there is nothing between the features and the last layer.</summary>
    internal bool IsLinear => _body.Count == 0 && _input.IsIdentity;

    /// <summary>Whether the embedding is the mean over the last tap's map, so that the last layer reads nothing else.</summary>
    internal bool PoolsLastTap => _body.Count >= 2 && _taps.LastOrDefault(-1) == _body.Count - 2 && _body[^1] is GlobalAveragePool;

    /// <summary>Logits of a batch.</summary>
    /// <param name="input">Rows, B×(shape of a row), bytes or floats.</param>
    public override NetworkOutput forward(Tensor input) => Forward(input, ModelOutputs.Logits);

    /// <summary>Computes the <paramref name="wanted"/> outputs of a batch.</summary>
    /// <param name="input">Rows, B×(shape of a row), bytes or floats.</param>
    /// <param name="wanted">The outputs to compute; the last layer is skipped if no logits are wanted.</param>
    /// <param name="throughTap">The last tap (an index into the stage features) to compute, if nothing else is wanted; null for all.</param>
    public NetworkOutput Forward(Tensor input, ModelOutputs wanted, int? throughTap = null)
    {
        CheckRows(input);
        var keepFeatures = wanted.HasFlag(ModelOutputs.StageFeatures);
        var features = new List<Tensor>();
        var x = _input.forward(input);
        var blocks = throughTap is { } tap ? _taps[tap] + 1 : _body.Count;
        for (var i = 0; i < blocks; i++)
        {
            var y = _body[i].Run(x);
            // A block may return its input itself.
            if (!ReferenceEquals(x, y))
                x.Dispose();
            x = y;
            if (keepFeatures && _taps.Contains(i))
                features.Add(LayerPrecision.Widen(x).contiguous());
        }

        if (throughTap is null)
            CheckEmbedding(x);
        return new NetworkOutput(
            wanted.HasFlag(ModelOutputs.Logits) ? LayerPrecision.Widen(_head.forward(x)) : null,
            wanted.HasFlag(ModelOutputs.Embedding) ? LayerPrecision.Widen(x) : null,
            keepFeatures ? features : null);
    }

    /// <summary>Computes the <paramref name="wanted"/> outputs of a batch, in 32-bit floats, with layers of a precision.</summary>
    /// <param name="input">Rows, B×(shape of a row), bytes or floats.</param>
    /// <param name="wanted">The outputs to compute.</param>
    /// <param name="precision">The precision of the layers.</param>
    /// <param name="throughTap">The last tap to compute, if nothing else is wanted; null for all.</param>
    internal NetworkOutput Forward(Tensor input, ModelOutputs wanted, TrainingPrecision precision, int? throughTap = null)
    {
        using var layers = LayerPrecision.Use(precision);
        return Forward(input, wanted, throughTap);
    }

    /// <summary>
    /// Begins a training pass whose gradients the blocks compute themselves, which is faster; null if some block does not, or stage features are wanted.
    /// </summary>
    /// <param name="input">Rows, B×(shape of a row), bytes or floats.</param>
    /// <param name="wanted">The outputs to compute.</param>
    internal NetworkPass? TryBeginPass(Tensor input, ModelOutputs wanted)
    {
        if (wanted.HasFlag(ModelOutputs.StageFeatures) || !_body.All(block => block is IGradientBlock))
            return null;
        CheckRows(input);
        return new NetworkPass(_input.forward(input), [.. _body], _head, wanted);
    }

    /// <summary>The sizes of the outputs, found by running a row of zeros through the network.</summary>
    public OutputShapes GetOutputShapes() => EvaluateRowOfZeros(row => new OutputShapes(
        LogitCount, EmbeddingLength, [.. Forward(row, ModelOutputs.StageFeatures).StageFeatures.Select(f => f.shape[1..])])
    {
        PoolsLastTap = PoolsLastTap,
    });

    /// <summary>Number of activations of one row, not counting those inside blocks: a lower bound of what a training step keeps in memory per row.</summary>
    internal long CountActivationsPerRow() => EvaluateRowOfZeros(row =>
    {
        var x = _input.forward(row);
        var values = x.numel();
        foreach (var block in _body)
        {
            x = block.Run(x);
            values += x.numel();
        }

        return values + LogitCount;
    });

    /// <summary>
    /// Makes one part trainable and freezes the rest: frozen parameters get no gradient, and frozen batch normalization uses and keeps its
    /// running statistics.
    /// </summary>
    internal void TrainOnly(NetworkPart part)
    {
        eval();
        foreach (var module in ModulesIn(part))
            module.train();
        var trained = TrainableParameters(part).ToHashSet<object>(ReferenceEqualityComparer.Instance);
        foreach (var parameter in parameters())
            parameter.requires_grad = trained.Contains(parameter);
    }

    /// <summary>The parameters of one part that can be trained.</summary>
    internal IEnumerable<Parameter> TrainableParameters(NetworkPart part)
    {
        var untrained = named_parameters().Where(p => _untrained.Contains(p.name)).Select(p => p.parameter).ToHashSet<object>(ReferenceEqualityComparer.Instance);
        return ModulesIn(part).SelectMany(m => m.parameters()).Where(p => !untrained.Contains(p));
    }

    private IEnumerable<nn.Module> ModulesIn(NetworkPart part)
    {
        var from = part.AfterTap is { } after ? _taps[after] + 1 : 0;
        var to = part.ThroughTap is { } through ? _taps[through] + 1 : _body.Count;
        for (var i = from; i < to; i++)
            yield return _body[i];
        if (part.ThroughTap is null && part.HasLastLayer)
            yield return _head;
    }

    /// <summary>Writes everything up to the embedding into <paramref name="graph"/>.</summary>
    internal string EmitBackbone(OnnxGraph graph, string input)
    {
        var value = _input.Emit(graph, input);
        foreach (var block in _body)
            value = block.Emit(graph, value);
        return value;
    }

    private T EvaluateRowOfZeros<T>(Func<Tensor, T> evaluate)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var wasTraining = training;
        eval();
        var result = evaluate(zeros([1, .. Input.Shape.Dimensions], Input.IsByte ? ScalarType.Byte : _head.Weight.dtype, _head.Weight.device));
        train(wasTraining);
        return result;
    }

    // Native code's errors name neither the network nor the rows, and a wrong matrix product ends the process.
    private void CheckRows(Tensor rows)
    {
        ArgumentNullException.ThrowIfNull(rows);
        ObjectDisposedException.ThrowIf(_head.Weight.IsInvalid, this);
        if (rows.dim() != Input.Shape.Dimensions.Length + 1 || !rows.shape.AsSpan(1).SequenceEqual(Input.Shape.Dimensions))
            throw new ArgumentException($"The network reads rows×{string.Join('×', Input.Shape.Dimensions)}; found {string.Join('×', rows.shape)}.", nameof(rows));
        if (rows.dtype != ScalarType.Byte && !rows.is_floating_point())
            throw new ArgumentException($"The network reads bytes or floating-point numbers; found {rows.dtype}.", nameof(rows));
    }

    // Native code's error is less clear, and an identity as last layer would raise none.
    private void CheckEmbedding(Tensor value)
    {
        if (value.dim() != 2 || value.shape[1] != EmbeddingLength)
        {
            throw new InvalidOperationException(
                $"The network's body ends in a tensor of the shape {string.Join('×', value.shape)}, but its plan has an embedding of rows×{EmbeddingLength}.");
        }
    }
}
