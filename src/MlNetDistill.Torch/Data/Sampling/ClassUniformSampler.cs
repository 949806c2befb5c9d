using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Batches with the same number of rows of each of some classes; see <see cref="BatchSampling.ClassUniform"/>.</summary>
internal sealed class ClassUniformSampler(int batchSize, int instances) : Sampler
{
    private RowGroups? _groups;

    internal override bool KeepsState => false;

    /// <exception cref="InvalidOperationException">Some rows have no label, or too few classes have rows.</exception>
    public static void Check(IRowSource set, Tensor training, int batchSize, int instances) => Groups(set, training, batchSize, instances);

    public override void Prepare(SamplerSource source) => _groups = Groups(source.Set, source.Training, batchSize, instances);

    public override int BatchesPerEpoch(long rows) => (int)Math.Max(1, rows / batchSize);

    public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator)
    {
        var groups = _groups ?? throw new InvalidOperationException("A class-uniform sampler must be prepared before its first epoch.");
        return groups.Batches(BatchesPerEpoch(training.shape[0]), batchSize / instances, instances, training.device, generator);
    }

    private static RowGroups Groups(IRowSource set, Tensor training, int batchSize, int instances)
    {
        RowLimit.Check(training.shape[0], "Class-uniform sampling");
        using var scope = NewDisposeScope();
        var labels = set.Labels.index_select(0, training).cpu().data<long>().ToArray();
        var missing = labels.Count(label => label == IRowSource.MissingLabel);
        if (missing > 0)
        {
            throw new InvalidOperationException(
                $"Class-uniform batches need labels, but {missing} of the {labels.Length} training rows have none. " +
                "Use BatchSampling.SuperclassUniform, which uses the teacher's outputs instead" +
                (missing == labels.Length ? "." : ", or leave these rows out: of a classifier, MissingLabels.Drop does."));
        }

        var groups = RowGroups.FromKeys(labels, training.cpu().data<long>().ToArray());
        if (batchSize / instances > groups.Count)
        {
            var most = groups.Count * instances;
            var more = Enumerable.Range(1, batchSize).First(n => batchSize % n == 0 && batchSize / n <= groups.Count);
            throw new InvalidOperationException(
                $"A class-uniform batch of {batchSize} rows, {instances} of each class, needs {batchSize / instances} classes, but only {groups.Count} have training " +
                $"rows. Set BatchSize to at most {most}, or use {more} instances.");
        }

        return groups;
    }
}
