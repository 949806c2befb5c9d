using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Reading;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace MlNetDistill;

/// <content>Every kind of teacher.</content>
public abstract partial class EmbeddingTeacher
{
    /// <summary>The vectors of the data that it reads: rows without them can be left out.</summary>
    internal virtual IEnumerable<TeacherColumn> VectorsRead(DataViewSchema schema) => [];

    /// <summary>The columns, beside the student's features, that its embeddings are computed from; null if they are unknown before the fit.</summary>
    internal virtual IEnumerable<DataViewSchema.Column>? InputsIn(DataViewSchema schema) => [];

    /// <summary>Opens it for the rows of a fit: one teacher, or the anchors of a route in order. The caller disposes them.</summary>
    internal abstract IReadOnlyList<OpenEmbeddings> Open(EmbeddingRequest request);

    /// <summary>Embeddings that the data have: of a service, of a model that ran before, of <c>ApplyOnnxModel</c> earlier in the pipeline.</summary>
    /// <param name="columnName">The column, <c>Vector&lt;Single, D&gt;</c>. It is read in training only.</param>
    public static EmbeddingTeacher FromColumn(string columnName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(columnName);
        return new ColumnEmbeddings(columnName);
    }

    /// <summary>A fitted ML.NET model that writes embeddings into a column, for example of text or of pictures.</summary>
    /// <param name="model">The model. It gets the rows of <c>Fit</c>.</param>
    /// <param name="columnName">The column of its output, <c>Vector&lt;Single, D&gt;</c>.</param>
    public static EmbeddingTeacher FromTransformer(ITransformer model, string columnName)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentException.ThrowIfNullOrWhiteSpace(columnName);
        return new ColumnEmbeddings(columnName, model);
    }

    /// <summary>An ONNX file, run by ONNX Runtime in batches, or row by row if its batch size is fixed at 1.</summary>
    /// <param name="path">The file. Files with weights that it refers to must be in its folder or below it.</param>
    /// <param name="outputName">The output with the embeddings, N×D; null for the only one.</param>
    /// <param name="input">Its input; the student's features if null.</param>
    /// <param name="device">The device; the CPU if null.</param>
    /// <param name="stageFeatures">Outputs with stage features, N×C×H×W or N×D, from input to output, for <see cref="EmbeddingMethod.Sskd"/>; null for none.</param>
    public static EmbeddingTeacher FromOnnx(
        string path, string? outputName = null, TeacherInput? input = null, TrainingDevice? device = null, IReadOnlyList<string>? stageFeatures = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        var source = OnnxSource.FromFile(path);
        var outputs = new OnnxOutputs(outputName, StageFeatures: stageFeatures) { AreEmbeddings = true };
        return new ModelEmbeddings(
            source.Name, input ?? new TeacherInput(),
            (shape, isByte, modelInput, fit) => OnnxModel.Open(source, outputs, shape, isByte, modelInput, device, fit.BatchSize, fit.Warn, fit.Cancellation), stageFeatures is { Count: > 0 });
    }

    /// <summary>A TorchSharp module that returns embeddings. It runs in eval mode on its current device, and its mode is restored. The caller owns it.</summary>
    /// <param name="module">The module: B×(shape of a row) 32-bit floats to B×D.</param>
    /// <param name="input">Its input; the student's features if null.</param>
    /// <param name="stageFeatures">Its parts that give stage features, from input to output, for <see cref="EmbeddingMethod.Sskd"/>; null for none.</param>
    public static EmbeddingTeacher FromModule(nn.Module<Tensor, Tensor> module, TeacherInput? input = null, IReadOnlyList<nn.Module<Tensor, Tensor>>? stageFeatures = null)
    {
        ArgumentNullException.ThrowIfNull(module);
        var taps = new ModuleTaps(StageFeatures: stageFeatures) { AreOfEmbeddings = true };
        return new ModelEmbeddings(
            module.GetType().Name, input ?? new TeacherInput(),
            (shape, isByte, modelInput, fit) => ModuleModel.Open(module, taps, shape, isByte, modelInput, null, fit.BatchSize, fit.Warn), stageFeatures is { Count: > 0 });
    }

    /// <summary>
    /// The embedding before the last layer of a network of this library, for example of a classifier that was trained with <c>Distill</c>
    /// (<see cref="DistilledStudent.ToNetwork"/>). The caller owns it.
    /// </summary>
    /// <param name="network">The network.</param>
    /// <param name="input">Its input; the student's features if null.</param>
    public static EmbeddingTeacher FromNetwork(Network network, TeacherInput? input = null)
    {
        ArgumentNullException.ThrowIfNull(network);
        // A network of this library knows the shape of its rows, and scales bytes itself.
        var (fed, own) = (input ?? new TeacherInput(), network.Input.Shape);
        fed = fed with { Scale = fed.Scale ?? 1, Image = fed.Image ?? (own.IsImage ? own : (InputShape?)null) };
        return new ModelEmbeddings(
            "network", fed, (shape, isByte, modelInput, fit) => ModuleModel.Open(network, Embed, shape, isByte, modelInput, null, fit.BatchSize, fit.Warn), givesStageFeatures: true);

        NetworkOutput Embed(Tensor rows)
        {
            var output = network.Forward(rows, ModelOutputs.Embedding | ModelOutputs.StageFeatures);
            return new NetworkOutput(output.Embedding, stageFeatures: output.StageFeatures);
        }
    }

    /// <summary>
    /// A route: teachers in order, from weak to strong, for <see cref="EmbeddingMethod.Rco"/>; a method that needs only one uses the last. The embeddings of all that the
    /// method uses are in memory during the fit.
    /// </summary>
    /// <param name="anchors">Name and teacher of each anchor. Where it has the length of the last, it is projected like the last.</param>
    public static EmbeddingTeacher FromRoute(params IReadOnlyList<(string Label, EmbeddingTeacher Teacher)> anchors)
    {
        ArgumentNullException.ThrowIfNull(anchors);
        return new RouteEmbeddings([.. anchors]);
    }

    /// <summary>
    /// A route of checkpoints of one network, as <see cref="Route.Train"/> with a folder writes them while a classifier is trained: the embeddings before its last layer. The
    /// network reads the student's features.
    /// </summary>
    /// <param name="network">The specification of the network.</param>
    /// <param name="paths">The files, in the order of training.</param>
    public static EmbeddingTeacher FromCheckpoints(NetworkSpec network, params IReadOnlyList<string> paths)
    {
        ArgumentNullException.ThrowIfNull(network);
        ArgumentNullException.ThrowIfNull(paths);
        return new CheckpointEmbeddings(network, [.. paths]);
    }
}
