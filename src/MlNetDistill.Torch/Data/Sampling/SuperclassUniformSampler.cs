using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Data;

/// <summary>Batches with the same number of rows of each of some clusters; see <see cref="BatchSampling.SuperclassUniform"/>.</summary>
internal sealed class SuperclassUniformSampler(int batchSize, int clusters, int instances) : Sampler
{
    private RowGroups? _groups;

    internal override bool KeepsState => false;

    /// <exception cref="InvalidOperationException">There are fewer rows than clusters.</exception>
    public static void Check(long rows, int clusters)
    {
        if (rows < clusters)
            throw new InvalidOperationException($"SuperclassUniform has {clusters} clusters, but there are only {rows} training {(rows == 1 ? "row" : "rows")}. Use fewer clusters.");
    }

    /// <remarks>A later stage without a teacher keeps the clusters of the previous stage.</remarks>
    public override void Prepare(SamplerSource source)
    {
        if (source.TeacherVectors is not { } teacherVectors)
        {
            _ = _groups ?? throw new InvalidOperationException(
                "Superclass-uniform batches need clusters of the teacher's outputs, but this stage has no teacher. Use another BatchSampling.");
            return;
        }

        Check(source.Training.shape[0], clusters);
        RowLimit.Check(source.Training.shape[0], "Superclass-uniform sampling");
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var found = KMeans.Assign(teacherVectors(source.Training).to(float32), clusters, source.Generator);
        var groups = RowGroups.FromKeys(found.cpu().data<long>().ToArray(), source.Training.cpu().data<long>().ToArray());
        if (groups.Count < batchSize / instances)
        {
            throw new InvalidOperationException(
                $"The teacher's outputs form only {groups.Count} distinct {(groups.Count == 1 ? "cluster" : "clusters")}, but a superclass-uniform batch of {batchSize} rows, {instances} of " +
                $"each cluster, needs {batchSize / instances}. Set BatchSize to at most {groups.Count * instances}.");
        }

        _groups = groups;
    }

    public override int BatchesPerEpoch(long rows) => (int)Math.Max(1, rows / batchSize);

    public override IEnumerable<Tensor> Epoch(Tensor training, Generator generator)
    {
        var groups = _groups ?? throw new InvalidOperationException("A superclass-uniform sampler must be prepared before its first epoch.");
        return groups.Batches(BatchesPerEpoch(training.shape[0]), batchSize / instances, instances, training.device, generator);
    }
}
