using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using MlNetDistill.Teachers;
using static TorchSharp.torch;

namespace CustomTeacher;

/// <summary>
/// Classifies a row by a vote of the nearest labelled rows. It needs no training, but it must keep all these rows and compare each new row with them. A student of a few
/// kilobytes replaces it.
/// </summary>
/// <param name="rows">The labelled rows.</param>
/// <param name="labels">Their classes.</param>
/// <param name="neighbours">How many vote.</param>
internal sealed class NearestNeighbours(float[][] rows, string[] labels, int neighbours) : MlNetDistill.Teachers.CustomTeacher(
    $"{neighbours} nearest neighbours", classNames: [.. labels.Distinct()], supportsAugmentation: true)
{
    protected override IEnumerable<string> ValidateSettings()
    {
        if (neighbours < 1 || neighbours > rows.Length)
            yield return $"The number of neighbours must be from 1 to {rows.Length}, the number of labelled rows; was {neighbours}.";
    }

    protected override StageTeacher Prepare(TeacherContext context) => new Votes(rows, labels, neighbours, context.Device);

    /// <summary>The labelled rows on the device that trains.</summary>
    private sealed class Votes : StageTeacher, IDisposable
    {
        private readonly int _neighbours;
        private readonly Tensor _rows;
        private readonly Tensor _classes;

        public Votes(float[][] rows, string[] labels, int neighbours, Device device)
        {
            using var scope = NewDisposeScope();
            string[] names = [.. labels.Distinct()];
            _neighbours = neighbours;
            _rows = tensor([.. rows.SelectMany(row => row)], [rows.Length, rows[0].Length], device: device).DetachFromDisposeScope();
            var numbers = tensor([.. labels.Select(label => (long)Array.IndexOf(names, label))], device: device);
            _classes = nn.functional.one_hot(numbers, names.Length).to(float32).DetachFromDisposeScope();
            Shapes = new OutputShapes(names.Length);
        }

        public override OutputShapes Shapes { get; }

        public override NetworkOutput Outputs(Batch batch, ModelOutputs wanted)
        {
            using var scope = NewDisposeScope();
            var (_, nearest) = cdist(batch.Features.to(float32).flatten(1), _rows).topk(_neighbours, 1, largest: false);
            var shares = _classes.index_select(0, nearest.flatten()).reshape(-1, _neighbours, Shapes.LogitCount).mean([1]);
            // A class without a vote gets a small probability, because 0 has no logarithm.
            return new NetworkOutput(shares.ClampMin(0.01).log().MoveToOuterDisposeScope());
        }

        public void Dispose()
        {
            _rows.Dispose();
            _classes.Dispose();
        }
    }
}
