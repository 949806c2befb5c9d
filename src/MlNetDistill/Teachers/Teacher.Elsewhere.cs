using MlNetDistill.Alignment;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill;

/// <content>Imported models.</content>
public abstract partial class Teacher
{
    /// <summary>A classifier in an ONNX file, run by ONNX Runtime in batches, or row by row where its batch is fixed at 1.</summary>
    /// <param name="path">The file. Files with weights that it refers to are found beside it, or in folders there; others are refused.</param>
    /// <param name="outputs">Which of its outputs is what; the only output, or the one called <c>logits</c>, is the class scores if null.</param>
    /// <param name="input">What it is fed; the student's features if null.</param>
    /// <param name="classNames">Class of each score. Needed unless the student's label keys have no values.</param>
    /// <param name="classMap">How its classes become the student's, where they are not the same.</param>
    /// <param name="scoreKind">What its scores are; may be left out if they are probabilities or plainly logits.</param>
    /// <param name="device">Where it runs; the CPU if null. A GPU needs the package Microsoft.ML.OnnxRuntime.Gpu in place of Microsoft.ML.OnnxRuntime.</param>
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

    /// <summary>The same, from the bytes of an ONNX file.</summary>
    /// <param name="model">The bytes; they are copied.</param>
    /// <param name="outputs">Which of its outputs is what.</param>
    /// <param name="input">What it is fed.</param>
    /// <param name="classNames">Class of each score.</param>
    /// <param name="classMap">How its classes become the student's.</param>
    /// <param name="scoreKind">What its scores are.</param>
    /// <param name="device">Where it runs.</param>
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
    /// libtorch ends the whole process for many a file that is damaged or was written by another version. So the file's checksums are compared, and it is loaded
    /// and asked for two rows in a process of its own first, which takes about a second. That process is this application's program started anew; its
    /// <c>Main</c> does not run.
    /// </remarks>
    /// <param name="path">The file.</param>
    /// <param name="outputs">Which of the tensors that it returns is what; the first, or the only one, is the class scores if null.</param>
    /// <param name="input">What it is fed; the student's features if null.</param>
    /// <param name="classNames">Class of each score. Needed unless the student's label keys have no values.</param>
    /// <param name="classMap">How its classes become the student's, where they are not the same.</param>
    /// <param name="scoreKind">What its scores are; may be left out if they are probabilities or plainly logits.</param>
    /// <param name="trusted">Whether the file is known to be sound, so that it is loaded at once. Needed where no process can be started.</param>
    /// <param name="trialLimit">How long the process of its own may take; two minutes, and more for large files, if null.</param>
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
                trusted, trialLimit, fit.Options.CancellationToken));
    }

    /// <summary>
    /// A TorchSharp module that gives class scores. It answers in eval mode, where it is, and is left as it was found; it stays the caller's, and must not be
    /// disposed before the fit is over.
    /// </summary>
    /// <param name="module">The module: B×(shape of a row) 32-bit floats to B×K scores.</param>
    /// <param name="taps">Parts of it that give embedding and stage features; none if null.</param>
    /// <param name="input">What it is fed; the student's features if null.</param>
    /// <param name="classNames">Class of each score. Needed unless the student's label keys have no values.</param>
    /// <param name="classMap">How its classes become the student's, where they are not the same.</param>
    /// <param name="scoreKind">What its scores are; may be left out if they are probabilities or plainly logits.</param>
    /// <param name="cacheKey">
    /// What its answers depend on beside its weights and its compiled code, such as settings kept in fields. It is part of the key of a cache in a folder.
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
    /// <param name="module">The module, for its weights, its mode and its device.</param>
    /// <param name="forward">B×(shape of a row) 32-bit floats to its outputs: logits, and embedding and stage features where it has them.</param>
    /// <param name="input">What it is fed; the student's features if null.</param>
    /// <param name="classNames">Class of each score. Needed unless the student's label keys have no values.</param>
    /// <param name="classMap">How its classes become the student's, where they are not the same.</param>
    /// <param name="scoreKind">What its scores are; may be left out if they are probabilities or plainly logits.</param>
    /// <param name="cacheKey">What its answers depend on beside its weights and its compiled code; see the other overload.</param>
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
            source, outputs, shape, isByte, modelInput, device, fit.Options.BatchSize, fit.Warn, fit.Options.CancellationToken));

    private static ModelOutputs GetOutputs<T>(bool embedding, IReadOnlyList<T>? stages) => ModelOutputs.Logits
        | (embedding ? ModelOutputs.Embedding : ModelOutputs.None)
        | (stages is { Count: > 0 } ? ModelOutputs.StageFeatures : ModelOutputs.None);
}
