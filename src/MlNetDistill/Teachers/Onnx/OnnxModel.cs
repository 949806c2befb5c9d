using Microsoft.ML.OnnxRuntime;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using TorchSharp;

namespace MlNetDistill.Teachers;

/// <summary>An ONNX model that ONNX Runtime runs.</summary>
internal sealed class OnnxModel : TensorModel
{
    private static readonly TimeSpan DefaultTrialLimit = TimeSpan.FromMinutes(2);
    private readonly OnnxRunner _runner;
    private readonly string _input;
    private readonly (string Logits, string? Embedding, string[] StageFeatures) _outputs;

    private OnnxModel(
        OnnxSource source, OnnxRunner runner, string input, (string Logits, string? Embedding, string[] StageFeatures) outputs, string hash, InputAdapter adapter)
        : base(source.Title, adapter, torch.CPU)
    {
        (_runner, _input, _outputs) = (runner, input, outputs);
        Name = source.Name;
        ContentHash = Fingerprint.Compute(["ONNX", hash, input, outputs.Logits, outputs.Embedding ?? "", adapter.Description, .. outputs.StageFeatures]);
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override string ContentHash { get; }

    /// <inheritdoc/>
    protected override ModelOutputs AvailableOutputs => ModelOutputs.Logits
        | (_outputs.Embedding is null ? ModelOutputs.None : ModelOutputs.Embedding)
        | (_outputs.StageFeatures.Length == 0 ? ModelOutputs.None : ModelOutputs.StageFeatures);

    /// <summary>Opens a model and runs it with trial rows.</summary>
    /// <param name="source">The model.</param>
    /// <param name="outputs">The names of its outputs.</param>
    /// <param name="shape">Shape of a row of the training set.</param>
    /// <param name="isByte">Whether its values are bytes.</param>
    /// <param name="input">The model's input.</param>
    /// <param name="device">The device; null for the CPU.</param>
    /// <param name="batchSize">Maximum rows in one run.</param>
    /// <param name="warn">Receives a warning if the model runs on the CPU instead of the GPU, or row by row.</param>
    /// <param name="cancellation">Cancels loading and runs.</param>
    /// <param name="trialLimit">Time limit for a run with trial rows; two minutes if null.</param>
    /// <exception cref="InvalidOperationException">It cannot be used; the message says why and what to do.</exception>
    /// <exception cref="OperationCanceledException">The cancellation token was cancelled.</exception>
    public static OnnxModel Open(
        OnnxSource source, OnnxOutputs outputs, InputShape shape, bool isByte, TeacherInput input, TrainingDevice? device, int batchSize, Action<string> warn,
        CancellationToken cancellation = default, TimeSpan? trialLimit = null)
    {
        var (layout, hash) = source.Inspect(cancellation);
        var runner = OnnxRunner.Open(source, layout, device, warn, cancellation);
        InputAdapter? adapter = null;
        try
        {
            var (title, session) = (source.Title, runner.Session);
            var names = (
                OnnxNames.FindLogits(session, outputs, title),
                outputs.Embedding is { } embedding ? OnnxNames.FindOutput(session, embedding, outputs.OptionOf(nameof(OnnxOutputs.Embedding)), title) : null,
                (string[])[.. (outputs.StageFeatures ?? []).Select(s => OnnxNames.FindOutput(session, s, outputs.OptionOf(nameof(OnnxOutputs.StageFeatures)), title))]);
            var name = OnnxNames.FindInput(session, input.InputName, title);
            var node = session.InputMetadata[name];
            var dimensions = OnnxNames.GetDimensions(node);
            adapter = new InputAdapter(shape, isByte, input, new ModelInput(title, dimensions, GetInputType(node, name, title)), torch.CPU);
            var model = new OnnxModel(source, runner, name, names, hash, adapter) { GivesEmbeddings = outputs.AreEmbeddings };
            runner.Limit = trialLimit ?? DefaultTrialLimit;
            model.Probe(batchSize, dimensions?[0], warn);
            runner.Limit = null;
            return model;
        }
        catch
        {
            adapter?.Dispose();
            runner.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        _runner.Dispose();
    }

    /// <inheritdoc/>
    protected override NetworkOutput Run(torch.Tensor input, ModelOutputs wanted)
    {
        var stages = wanted.HasFlag(ModelOutputs.StageFeatures) ? _outputs.StageFeatures : [];
        var embedding = wanted.HasFlag(ModelOutputs.Embedding) ? _outputs.Embedding : null;
        string[] names = [_outputs.Logits, .. embedding is null ? Array.Empty<string>() : [embedding], .. stages];
        // The same tensor may be used twice, as logits and as embedding; ONNX Runtime returns it once.
        string[] distinct = [.. names.Distinct()];
        torch.Tensor[] values;
        try
        {
            values = _runner.Run(_input, input, distinct);
        }
        catch (OnnxRuntimeException e)
        {
            throw CreateFailure(Title, input, e);
        }
        catch (TimeoutException e)
        {
            throw new InvalidOperationException(FormattableString.Invariant(
                $"{Title} did not finish rows [{string.Join(", ", input.shape)}] within {_runner.Limit!.Value.TotalSeconds:0.#} s. Check whether it has an endless loop."), e);
        }

        torch.Tensor Get(string name) => values[Array.IndexOf(distinct, name)];
        return new NetworkOutput(Get(_outputs.Logits), embedding is null ? null : Get(embedding), stages.Length == 0 ? null : [.. stages.Select(Get)]);
    }

    private static torch.ScalarType GetInputType(NodeMetadata node, string name, string title) =>
        node.IsTensor && OnnxNames.ToScalarType(node.ElementDataType) is { } type ? type : throw new InvalidOperationException(
            $"{title} reads '{name}' as {OnnxNames.Describe(node)}; rows can be fed as float32, float16, double or uint8. Export it with such an input.");
}
