using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A TorchScript file, in eval mode on the training device.</summary>
internal sealed class TorchScriptModel : TensorModel
{
    private readonly jit.ScriptModule _module;
    private readonly TorchScriptOutputs _outputs;

    private TorchScriptModel(string path, string hash, string title, jit.ScriptModule module, TorchScriptOutputs outputs, InputAdapter adapter, Device device)
        : base(title, adapter, device)
    {
        (_module, _outputs) = (module, outputs);
        Name = $"'{path}'";
        ContentHash = Fingerprint.Compute("TorchScript", hash, adapter.Description,
            FormattableString.Invariant($"{outputs.Logits};{outputs.Embedding};{NumberText.Join(outputs.StageFeatures ?? [])}"));
    }

    public override string Name { get; }

    public override string ContentHash { get; }

    protected override ModelOutputs AvailableOutputs => ModelOutputs.Logits
        | (_outputs.Embedding is null ? ModelOutputs.None : ModelOutputs.Embedding)
        | (_outputs.StageFeatures is { Count: > 0 } ? ModelOutputs.StageFeatures : ModelOutputs.None);

    /// <summary>Loads a file, first in a separate process and then in this one, and runs trial rows.</summary>
    /// <param name="path">A file that torch.jit.save wrote.</param>
    /// <param name="outputs">The meaning of its outputs.</param>
    /// <param name="shape">Shape of a row of the training set.</param>
    /// <param name="isByte">Whether its values are bytes.</param>
    /// <param name="input">The settings of the model's input.</param>
    /// <param name="device">The device on which it runs.</param>
    /// <param name="batchSize">Maximum rows in one run.</param>
    /// <param name="warn">Receives a warning if it must be run row by row.</param>
    /// <param name="isTrusted">Whether to skip the separate process.</param>
    /// <param name="trialLimit">Time limit of the separate process; null for a limit by the file's size.</param>
    /// <param name="cancellation">Ends the other process.</param>
    /// <exception cref="InvalidOperationException">It cannot be used; the message says why and what to do.</exception>
    public static TorchScriptModel Open(
        string path, TorchScriptOutputs outputs, InputShape shape, bool isByte, TeacherInput input, Device device, int batchSize, Action<string> warn,
        bool isTrusted = false, TimeSpan? trialLimit = null, CancellationToken cancellation = default)
    {
        var title = GetTitle(path);
        var unpacked = ScriptArchive.Check(path, title, cancellation);
        var before = GetFileStamp(path);
        var hash = Fingerprint.ComputeForFile(path, cancellation);
        if (!isTrusted)
        {
            var trial = new ScriptTrial(path, outputs, shape, isByte, input, batchSize);
            ScriptTester.EnsureLoadable(trial, title, hash, unpacked, isDecisive: device.type == DeviceType.CPU, trialLimit, cancellation);
        }

        var model = Load(path, hash, outputs, shape, isByte, input, device, batchSize, warn);
        if (GetFileStamp(path) == before)
            return model;
        model.Dispose();
        throw new InvalidOperationException($"{title} was changed while it was being loaded. Do not write to it during loading, or load a copy of it.");
    }

    /// <summary>Loads a file in this process, which a faulty file may crash. The parameters and exceptions are those of <see cref="Open"/>, and the file's hash.</summary>
    public static TorchScriptModel Load(
        string path, string hash, TorchScriptOutputs outputs, InputShape shape, bool isByte, TeacherInput input, Device device, int batchSize, Action<string> warn)
    {
        var title = GetTitle(path);
        // Disposes the handles of parameters that loading creates; the module keeps its own.
        using var scope = NewDisposeScope();
        var module = LoadModule(path, title, device);
        InputAdapter? adapter = null;
        try
        {
            module.eval();
            var type = module.parameters().Select(p => p.dtype).FirstOrDefault(t => t is ScalarType.Float64 or ScalarType.Float16 or ScalarType.BFloat16, float32);
            adapter = new InputAdapter(shape, isByte, input, new ModelInput(title, null, type, ImageLayout.ChannelsFirst), device);
            var model = new TorchScriptModel(path, hash, title, module, outputs, adapter, device);
            model.Probe(batchSize, null, warn);
            return model;
        }
        catch
        {
            adapter?.Dispose();
            module.Dispose();
            throw;
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        _module.Dispose();
    }

    protected override NetworkOutput Run(Tensor input, ModelOutputs wanted)
    {
        var given = Forward(input);
        return new NetworkOutput(
            wanted.HasFlag(ModelOutputs.Logits) ? Pick(given, _outputs.Logits, "Logits") : null,
            wanted.HasFlag(ModelOutputs.Embedding) && _outputs.Embedding is { } embedding ? Pick(given, embedding, "Embedding") : null,
            wanted.HasFlag(ModelOutputs.StageFeatures) && _outputs.StageFeatures is { Count: > 0 } stages
                ? [.. stages.Select(s => Pick(given, s, "StageFeatures"))] : null);
    }

    private static string GetTitle(string path) => $"The TorchScript model '{path}'";

    private static (long Bytes, DateTime Written) GetFileStamp(string path) => new FileInfo(path) is { Exists: true } file ? (file.Length, file.LastWriteTimeUtc) : (-1, default);

    private static jit.ScriptModule LoadModule(string path, string title, Device device)
    {
        try
        {
            return jit.load(path, device.type, device.index);
        }
        catch (ExternalException e)
        {
            throw new InvalidOperationException($"{title} cannot be loaded by this libtorch: {NativeErrorMessage.Summarize(e.Message)}. Export it with a version of PyTorch that " +
                "is not newer than this libtorch.", e);
        }
    }

    private object?[] Forward(Tensor input)
    {
        try
        {
            return _module.forward(input) switch
            {
                Tensor tensor => [tensor],
                Tensor[] tensors => tensors,
                ITuple tuple => [.. Enumerable.Range(0, tuple.Length).Select(i => tuple[i])],
                Scalar[] numbers => throw CreateOutputError(numbers),
                object?[] values => values,
                _ => throw CreateOutputError([]),
            };
        }
        catch (Exception e) when (e is ExternalException or ArgumentOutOfRangeException or NotImplementedException)
        {
            // TorchSharp reports an output type that it does not support, a dictionary for example, as an index out of range.
            throw e is ExternalException ? CreateFailure(Title, input, e) : CreateOutputError([], e);
        }
    }

    /// <summary>TorchSharp mistakes the elements of a long tuple that are not all tensors for numbers; disposing them as numbers would corrupt the heap.</summary>
    private InvalidOperationException CreateOutputError(Scalar[] numbers, Exception? inner = null)
    {
        foreach (var number in numbers)
            GC.SuppressFinalize(number);
        return new($"{Title} returns neither a tensor nor a tuple or list of tensors (a dictionary is not supported). Return a tuple from forward, and give the " +
            "positions in TorchScriptOutputs.", inner);
    }

    private Tensor Pick(object?[] given, int position, string what)
    {
        if (position < 0 || position >= given.Length)
        {
            throw new InvalidOperationException($"{Title} returns {given.Length} output{(given.Length == 1 ? "" : "s")}, numbered from 0; TorchScriptOutputs.{what} " +
                $"is {position}.");
        }

        return given[position] as Tensor
            ?? throw new InvalidOperationException($"{Title} returns no tensor at position {position}, which is TorchScriptOutputs.{what}.");
    }
}
