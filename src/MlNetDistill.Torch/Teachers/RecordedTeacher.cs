using MlNetDistill.Data;
using MlNetDistill.Networks;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A teacher that was asked before training: its answers are looked up by position after the join by row id.</summary>
internal sealed class RecordedTeacher : StageTeacher, IDisposable
{
    private readonly AnswerTable _answers;

    public RecordedTeacher(TeacherRecord record, TrainingSet set, Device device)
    {
        var logits = record.LogitsFor(set);
        var moved = logits.to(device).DetachFromDisposeScope();
        if (!ReferenceEquals(moved, logits))
            logits.Dispose();
        _answers = new AnswerTable(set, moved, null);
    }

    public override OutputShapes Shapes => _answers.Shapes;

    public override NetworkOutput Outputs(Batch batch, OutputKinds wanted)
    {
        Check(batch);
        return _answers.Outputs(batch, wanted);
    }

    public override Tensor LogProbabilities(Batch batch, NetworkOutput outputs, double temperature)
    {
        Check(batch);
        return _answers.LogProbabilities(batch, outputs, temperature);
    }

    public void Dispose() => _answers.Dispose();

    private void Check(Batch batch)
    {
        if (!_answers.Covers(batch))
            throw new InvalidOperationException("A recorded teacher answers only for the unaugmented rows it was asked about.");
    }
}
