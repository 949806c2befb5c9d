using MlNetDistill.Core;
using MlNetDistill.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>
/// A user's TorchSharp module. It runs in eval mode, without gradients, on its own device, and is left unchanged: not moved, not modified, not disposed.
/// </summary>
internal sealed class ModuleModel : TensorModel
{
    private const ModelOutputs All = ModelOutputs.Logits | ModelOutputs.Embedding | ModelOutputs.StageFeatures;
    private const string DisposedTensor = "Tensor invalid -- empty handle.";
    private const string OwnershipRule = "The caller owns it and must not dispose it before the fit is over.";
    private readonly nn.Module _module;
    private readonly nn.Module[] _parts;
    private readonly Func<Tensor, ModelOutputs, NetworkOutput> _forward;

    private ModuleModel(
        nn.Module module, nn.Module[] parts, Func<Tensor, ModelOutputs, NetworkOutput> forward, ModelOutputs available, string title, string identity, InputAdapter adapter,
        Device device)
        : base(title, adapter, device)
    {
        (_module, _parts, _forward, AvailableOutputs) = (module, [module, .. parts], forward, available);
        Name = module.GetType().Name;
        ContentHash = Fingerprint.Compute("module", ModuleState.Fingerprint(module), identity, adapter.Description);
    }

    public override string Name { get; }

    public override string ContentHash { get; }

    protected override ModelOutputs AvailableOutputs { get; }

    /// <summary>A module that returns class scores; further outputs are taken from its parts.</summary>
    /// <param name="module">The module; the caller owns it.</param>
    /// <param name="taps">Parts whose outputs are used; null for none.</param>
    /// <param name="shape">Shape of a row of the training set.</param>
    /// <param name="isByte">Whether its values are bytes.</param>
    /// <param name="input">The settings of the module's input.</param>
    /// <param name="identity">The caller's name for whatever else the outputs depend on; null for nothing.</param>
    /// <param name="batchSize">Maximum rows in one run.</param>
    /// <param name="warn">Receives a warning if it must be run row by row.</param>
    /// <exception cref="InvalidOperationException">It cannot be used; the message says why and what to do.</exception>
    public static ModuleModel Open(
        nn.Module<Tensor, Tensor> module, ModuleTaps? taps, InputShape shape, bool isByte, TeacherInput input, string? identity, int batchSize, Action<string> warn)
    {
        var title = GetTitle(module);
        Check(module, title);
        var (embedding, stages, ofEmbeddings) = (taps?.Embedding, taps?.StageFeatures ?? [], taps?.AreOfEmbeddings == true);
        var available = ModelOutputs.Logits
            | (embedding is null ? ModelOutputs.None : ModelOutputs.Embedding)
            | (stages.Count == 0 ? ModelOutputs.None : ModelOutputs.StageFeatures);

        NetworkOutput Forward(Tensor rows, ModelOutputs wanted)
        {
            using var capture = new ModuleCapture();
            var wantedEmbedding = wanted.HasFlag(ModelOutputs.Embedding) ? embedding : null;
            var wantedStages = wanted.HasFlag(ModelOutputs.StageFeatures) ? stages : [];
            foreach (var part in wantedStages.Append(wantedEmbedding).OfType<nn.Module<Tensor, Tensor>>())
                capture.Add(part);
            var logits = RunUserCode(title, rows, () => module.call(rows));
            return new NetworkOutput(
                logits,
                wantedEmbedding is null ? null : capture.GetOutput(wantedEmbedding, title, $"{nameof(ModuleTaps)}.{nameof(ModuleTaps.Embedding)}"),
                wantedStages.Count == 0 ? null : [.. wantedStages.Select(s => capture.GetOutput(s, title, ofEmbeddings ? "stageFeatures" : $"{nameof(ModuleTaps)}.{nameof(ModuleTaps.StageFeatures)}"))]);
        }

        return Open(module, title, [.. stages.Append(embedding).OfType<nn.Module>()], Forward, available, $"taps {DescribePosition(module, embedding)};{string.Join(',', stages.Select(s => DescribePosition(module, s)))}; {identity}",
            shape, isByte, input, batchSize, warn, ofEmbeddings);
    }

    /// <summary>
    /// Any module, with a function that runs it and returns its outputs. The outputs that it returns for the first row must be returned for all rows. The other
    /// parameters are as above.
    /// </summary>
    public static ModuleModel Open(
        nn.Module module, Func<Tensor, NetworkOutput> forward, InputShape shape, bool isByte, TeacherInput input, string? identity, int batchSize,
        Action<string> warn)
    {
        var title = GetTitle(module);
        Check(module, title);
        ModelOutputs? firstOutputs = null;

        NetworkOutput Forward(Tensor rows, ModelOutputs wanted)
        {
            var output = RunUserCode(title, rows, () => forward(rows));
            var missing = wanted & (firstOutputs ??= output.Available | ModelOutputs.Logits) & ~output.Available;
            return missing == ModelOutputs.None ? output : throw new InvalidOperationException($"{title}: the forward function returned no {missing}, which it returned for the first row.");
        }

        var method = forward.Method;
        return Open(module, title, [], Forward, All, $"by {method.DeclaringType?.FullName}.{method.Name} {method.Module.ModuleVersionId}; {identity}",
            shape, isByte, input, batchSize, warn);
    }

    protected override NetworkOutput Run(Tensor input, ModelOutputs wanted)
    {
        using var moduleLock = new ModuleLock(_parts);
        using var mode = EnterEvalMode();
        return _forward(input, wanted);
    }

    /// <summary>Runs the user's code; an exception is reported together with the rows.</summary>
    private static T RunUserCode<T>(string title, Tensor rows, Func<T> forward)
    {
        try
        {
            return forward() ?? throw new InvalidOperationException("it returned null instead of its outputs.");
        }
        catch (Exception e)
        {
            throw e.Message == DisposedTensor ? new InvalidOperationException($"{title} uses a tensor that is disposed. {OwnershipRule}", e) : CreateFailure(title, rows, e);
        }
    }

    private static ModuleModel Open(
        nn.Module module, string title, nn.Module[] parts, Func<Tensor, ModelOutputs, NetworkOutput> forward, ModelOutputs available, string identity, InputShape shape,
        bool isByte, TeacherInput input, int batchSize, Action<string> warn, bool givesEmbeddings = false)
    {
        var (device, type) = GetDeviceAndType(module);
        var adapter = new InputAdapter(shape, isByte, input, new ModelInput(title, null, type, ImageLayout.ChannelsFirst), device);
        var model = new ModuleModel(module, parts, forward, available, title, identity, adapter, device) { GivesEmbeddings = givesEmbeddings };
        try
        {
            model.Probe(batchSize, null, warn);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private EvalMode EnterEvalMode()
    {
        try
        {
            return new EvalMode(_module);
        }
        catch (ObjectDisposedException e)
        {
            throw new InvalidOperationException($"{Title} is disposed. {OwnershipRule}", e);
        }
    }

    /// <summary>Throws if the module or a part of it is disposed, or if a tensor has no values.</summary>
    private static void Check(nn.Module module, string title)
    {
        try
        {
            foreach (var part in ModuleLock.SelfAndDescendants(module))
                _ = part.training;
        }
        catch (ObjectDisposedException e)
        {
            throw new InvalidOperationException($"{title} is disposed. {OwnershipRule}", e);
        }

        foreach (var (name, value) in module.state_dict())
        {
            if (value.device_type == DeviceType.META)
            {
                throw new InvalidOperationException(
                    $"{title}: its tensor '{name}' is on the device 'meta', where tensors have shapes and no values. Make the module on the CPU or a GPU and load its weights.");
            }
        }
    }

    private static (Device Device, ScalarType Type) GetDeviceAndType(nn.Module module)
    {
        var weights = module.parameters().Concat(module.buffers()).ToList();
        var first = weights.FirstOrDefault(w => w.is_floating_point());
        return ((first ?? weights.FirstOrDefault())?.device ?? CPU, first?.dtype ?? float32);
    }

    private static string DescribePosition(nn.Module module, nn.Module? part) =>
        part is null ? "" : ReferenceEquals(part, module) ? "itself" : module.named_modules().FirstOrDefault(m => ReferenceEquals(m.module, part)).name ?? "outside";

    private static string GetTitle(nn.Module module) => $"The module {module.GetType().Name}";
}
