using MlNetDistill.Alignment;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill;

/// <content>Imported models.</content>
public abstract partial class Teacher
{
    /// <summary>A classifier in an ONNX file, run by ONNX Runtime in batches, or row by row if its batch size is fixed at 1.</summary>
    /// <param name="path">The file. Files with weights that it refers to must be in its folder or below it.</param>
    /// <param name="outputs">The names of its outputs; if null, the only output or the one named <c>logits</c> has the class scores.</param>
    /// <param name="input">Its input; the student's features if null.</param>
    /// <param name="classNames">The class of each score. Required unless the student's label keys have no values.</param>
    /// <param name="classMap">Maps its classes to those of the student, if they differ.</param>
    /// <param name="scoreKind">The kind of its scores; may be omitted if they are probabilities, or clearly logits.</param>
    /// <param name="device">The device; the CPU if null. A GPU needs the package Microsoft.ML.OnnxRuntime.Gpu instead of Microsoft.ML.OnnxRuntime.</param>
    public static Teacher FromOnnx(
        string path,
        OnnxOutputs? outputs = null,
        TeacherInput? input = null,
        IReadOnlyList<string>? classNames = null,
        ClassMap? classMap = null,
        ScoreKind scoreKind = ScoreKind.Auto,
        TrainingDevice? device = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        return FromOnnx(OnnxSource.FromFile(path), outputs ?? new OnnxOutputs(), input ?? new TeacherInput(), new ScoreSpec(scoreKind, classNames, classMap), device);
    }

    /// <summary>A classifier in the bytes of an ONNX file, run by ONNX Runtime.</summary>
    /// <param name="model">The bytes; they are copied.</param>
    /// <param name="outputs">The names of its outputs.</param>
    /// <param name="input">Its input.</param>
    /// <param name="classNames">The class of each score.</param>
    /// <param name="classMap">Maps its classes to those of the student.</param>
    /// <param name="scoreKind">The kind of its scores.</param>
    /// <param name="device">The device.</param>
    public static Teacher FromOnnx(
        ReadOnlySpan<byte> model,
        OnnxOutputs? outputs = null,
        TeacherInput? input = null,
        IReadOnlyList<string>? classNames = null,
        ClassMap? classMap = null,
        ScoreKind scoreKind = ScoreKind.Auto,
        TrainingDevice? device = null) =>
        FromOnnx(OnnxSource.FromBytes(model.ToArray()), outputs ?? new OnnxOutputs(), input ?? new TeacherInput(), new ScoreSpec(scoreKind, classNames, classMap), device);

    /// <summary>A classifier in a TorchScript file, as <c>torch.jit.save</c> writes it, run on the device that trains.</summary>
    /// <remarks>
    /// Many damaged files, or files of another version, make libtorch end the whole process. So the checksums in the file are verified, and it is first loaded in a separate
    /// process and scores two rows there, which takes about a second. That process starts the executable of this application, but does not run its <c>Main</c>.
    /// </remarks>
    /// <param name="path">The file.</param>
    /// <param name="outputs">The positions of its outputs in the returned tensors; if null, the first or only tensor has the class scores.</param>
    /// <param name="input">Its input; the student's features if null.</param>
    /// <param name="classNames">The class of each score. Required unless the student's label keys have no values.</param>
    /// <param name="classMap">Maps its classes to those of the student, if they differ.</param>
    /// <param name="scoreKind">The kind of its scores; may be omitted if they are probabilities, or clearly logits.</param>
    /// <param name="trusted">Whether to load the file without the separate process, because it is known to be intact. Needed if no process can be started.</param>
    /// <param name="trialLimit">Time limit of the separate process; if null, two minutes, and more for large files.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="trialLimit"/> is not above zero.</exception>
    public static Teacher FromTorchScript(
        string path,
        TorchScriptOutputs? outputs = null,
        TeacherInput? input = null,
        IReadOnlyList<string>? classNames = null,
        ClassMap? classMap = null,
        ScoreKind scoreKind = ScoreKind.Auto,
        bool trusted = false,
        TimeSpan? trialLimit = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (trialLimit is { } limit)
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(limit, TimeSpan.Zero, nameof(trialLimit));
        var (taken, fed) = (outputs ?? new TorchScriptOutputs(), input ?? new TeacherInput());
        return new ExternalTeacher(
            $"'{path}'", GetOutputs(taken.Embedding is not null, taken.StageFeatures), fed, new ScoreSpec(scoreKind, classNames, classMap),
            (shape, isByte, modelInput, fit) => TorchScriptModel.Open(
                path, taken, shape, isByte, modelInput, fit.Device, fit.Options.BatchSize, fit.Warn,
                trusted, trialLimit, fit.Options.CancellationToken))
        {
            MeasureFile = () => new FileInfo(path).Length,
        };
    }

    /// <summary>
    /// A TorchSharp module that returns class scores. It runs in eval mode on its current device, and its mode is restored. The caller owns it and must not dispose it
    /// before the fit has ended.
    /// </summary>
    /// <param name="module">The module: B×(shape of a row) 32-bit floats to B×K scores.</param>
    /// <param name="taps">Submodules whose outputs are the embedding and the stage features; none if null.</param>
    /// <param name="input">Its input; the student's features if null.</param>
    /// <param name="classNames">The class of each score. Required unless the student's label keys have no values.</param>
    /// <param name="classMap">Maps its classes to those of the student, if they differ.</param>
    /// <param name="scoreKind">The kind of its scores; may be omitted if they are probabilities, or clearly logits.</param>
    /// <param name="cacheKey">
    /// All that its outputs depend on apart from its weights and its compiled code, such as settings in fields. It becomes a part of the cache key.
    /// </param>
    public static Teacher FromModule(
        nn.Module<Tensor, Tensor> module,
        ModuleTaps? taps = null,
        TeacherInput? input = null,
        IReadOnlyList<string>? classNames = null,
        ClassMap? classMap = null,
        ScoreKind scoreKind = ScoreKind.Auto,
        string? cacheKey = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        var (taken, fed) = (taps ?? new ModuleTaps(), input ?? new TeacherInput());
        return new ExternalTeacher(
            module.GetType().Name, GetOutputs(taken.Embedding is not null, taken.StageFeatures), fed, new ScoreSpec(scoreKind, classNames, classMap),
            (shape, isByte, modelInput, fit) => ModuleModel.Open(module, taken, shape, isByte, modelInput, cacheKey, fit.Options.BatchSize, fit.Warn));
    }

    /// <summary>A TorchSharp module of any signature, with a function that runs it.</summary>
    /// <param name="module">The module, which has the weights, the mode and the device.</param>
    /// <param name="forward">B×(shape of a row) 32-bit floats to its outputs: logits, and embedding and stage features if it has them.</param>
    /// <param name="input">Its input; the student's features if null.</param>
    /// <param name="classNames">The class of each score. Required unless the student's label keys have no values.</param>
    /// <param name="classMap">Maps its classes to those of the student, if they differ.</param>
    /// <param name="scoreKind">The kind of its scores; may be omitted if they are probabilities, or clearly logits.</param>
    /// <param name="cacheKey">All that its outputs depend on apart from its weights and its compiled code. It becomes a part of the cache key.</param>
    public static Teacher FromModule(
        nn.Module module,
        Func<Tensor, NetworkOutput> forward,
        TeacherInput? input = null,
        IReadOnlyList<string>? classNames = null,
        ClassMap? classMap = null,
        ScoreKind scoreKind = ScoreKind.Auto,
        string? cacheKey = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        ArgumentNullException.ThrowIfNull(forward);
        var fed = input ?? new TeacherInput();
        return new ExternalTeacher(
            module.GetType().Name, NetworkKinds, fed, new ScoreSpec(scoreKind, classNames, classMap),
            (shape, isByte, modelInput, fit) => ModuleModel.Open(module, forward, shape, isByte, modelInput, cacheKey, fit.Options.BatchSize, fit.Warn));
    }

    private static ExternalTeacher FromOnnx(OnnxSource source, OnnxOutputs outputs, TeacherInput input, ScoreSpec scores, TrainingDevice? device) => new(
        source.Name, GetOutputs(outputs.Embedding is not null, outputs.StageFeatures), input, scores,
        (shape, isByte, modelInput, fit) => OnnxModel.Open(
            source, outputs, shape, isByte, modelInput, device, fit.Options.BatchSize, fit.Warn, fit.Options.CancellationToken))
    { MeasureFile = source.MeasureBytes };

    private static ModelOutputs GetOutputs<T>(bool embedding, IReadOnlyList<T>? stages) => ModelOutputs.Logits
        | (embedding ? ModelOutputs.Embedding : ModelOutputs.None)
        | (stages is { Count: > 0 } ? ModelOutputs.StageFeatures : ModelOutputs.None);
}
