using System.Globalization;
using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill;

/// <summary>A trained network of embeddings: its specification and weights, and the history of its training.</summary>
public sealed class DistilledEmbedding
{
    private readonly byte[] _weights;
    private readonly float[][]? _axes;
    private readonly int? _teacherLength;

    internal DistilledEmbedding(
        Network network, NetworkSpec spec, int seed, float[][]? axes, int? teacherLength, IReadOnlyList<TrainingProgress> history, IReadOnlyList<string> notes, IReadOnlyList<string> warnings,
        IReadOnlyList<ReportedSetting> settings)
    {
        Spec = spec;
        Input = network.Input;
        EmbeddingLength = network.EmbeddingLength;
        ParameterCount = network.ParameterCount;
        Seed = seed;
        History = history;
        Notes = notes;
        Warnings = warnings;
        Settings = settings;
        (_axes, _teacherLength) = (axes, teacherLength);
        _weights = DistilledStudent.WeightsOf(network);
    }

    /// <summary>The network's specification, without its last layer.</summary>
    public NetworkSpec Spec { get; }

    /// <summary>The network's input.</summary>
    public NetworkInput Input { get; }

    /// <summary>Length D of the embedding.</summary>
    public int EmbeddingLength { get; }

    /// <summary>Number of trained parameters.</summary>
    public long ParameterCount { get; }

    /// <summary>The seed of the run; the same seed, data and options give the same student.</summary>
    public int Seed { get; }

    /// <summary>The state of training after each epoch.</summary>
    public IReadOnlyList<TrainingProgress> History { get; }

    /// <summary>What was decided during training, as sentences.</summary>
    public IReadOnlyList<string> Notes { get; }

    /// <summary>The warnings of the fit; empty if there were none.</summary>
    public IReadOnlyList<string> Warnings { get; }

    /// <summary>The options it was trained with, by name, as text.</summary>
    public IReadOnlyList<ReportedSetting> Settings { get; }

    /// <summary>The network, its seed, the last epoch, and the notes and warnings.</summary>
    public override string ToString()
    {
        List<string> lines =
        [
            string.Create(CultureInfo.InvariantCulture, $"{Spec.Name}: {ParameterCount:N0} parameters, an embedding of {EmbeddingLength}; input: {Input}"),
            FormattableString.Invariant($"seed {Seed}"),
        ];
        if (History is [.., var last])
            lines.Add($"{NumberText.Count(History.Count, "epoch")} in {NumberText.Duration(last.Elapsed)}, the last: {last.Figures}");
        return string.Join(Environment.NewLine, lines.Concat(Notes).Concat(Warnings.Select(warning => $"warning: {warning}")).SelectMany(line => TextLines.Wrap(line, TextLines.Width)));
    }

    /// <summary>
    /// An embedding of the teacher in the student's space, of length 1, to compare with the student's: the teacher's own, or its projection where the student's embedding
    /// is shorter. For a gallery that the teacher has embedded and queries that the student embeds.
    /// </summary>
    /// <param name="teacherEmbedding">An embedding of the teacher.</param>
    /// <returns>D values of length 1.</returns>
    /// <exception cref="ArgumentException">It has another length than the teacher's embeddings in training, or no direction: it has NaN or infinity, is zero, or the projection leaves nothing of it.</exception>
    /// <exception cref="InvalidOperationException">The student has a space of its own: its loss compares pairs of rows alone, or learnt a projection.</exception>
    public float[] MapTeacher(ReadOnlySpan<float> teacherEmbedding)
    {
        if (_teacherLength is not { } length)
        {
            throw new InvalidOperationException(
                "The student has a space of its own, in which the teacher's embeddings have no place. Train it with MimicLoss or CosineLoss, and with WidthMatching.Pca if its embedding is shorter.");
        }

        if (teacherEmbedding.Length != length)
            throw new ArgumentException(FormattableString.Invariant($"The teacher's embeddings have {length} values; found {teacherEmbedding.Length}."), nameof(teacherEmbedding));
        var mapped = new double[EmbeddingLength];
        for (var i = 0; i < mapped.Length; i++)
        {
            for (var j = 0; j < length; j++)
                mapped[i] += _axes is null ? (i == j ? teacherEmbedding[j] : 0) : _axes[i][j] * (double)teacherEmbedding[j];
        }

        var norm = Math.Sqrt(mapped.Sum(value => value * value));
        if (!(norm > 0 && double.IsFinite(norm)))
        {
            throw new ArgumentException(
                "The embedding has no direction in the student's space: it has NaN or infinity, is zero, or is at right angles to all directions that the projection keeps. Leave it out of the gallery.",
                nameof(teacherEmbedding));
        }

        return [.. mapped.Select(value => (float)(value / norm))];
    }

    /// <summary>The student as a TorchSharp module with its trained weights, on the CPU and in eval mode; its embeddings are not yet of length 1. The caller disposes it.</summary>
    public Network ToNetwork()
    {
        var network = EmbeddingSpec.Of(Spec, EmbeddingLength).Build(Input, EmbeddingLength, Seed);
        using var weights = new MemoryStream(_weights);
        network.load(weights);
        network.eval();
        return network;
    }
}
