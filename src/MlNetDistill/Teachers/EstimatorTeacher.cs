using Microsoft.ML;
using MlNetDistill.Data;
using MlNetDistill.Seam;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

internal sealed class EstimatorTeacher(IEstimator<ITransformer> estimator, ScoreColumn score, int folds) : Teacher
{
    internal override IEnumerable<string> Faults()
    {
        foreach (var fault in score.Faults())
            yield return fault;
        if (folds is 1 or < 0)
            yield return $"The teacher's folds must be 0 (none) or at least 2; was {folds}.";
    }

    internal override TeacherAnswer Ask(TeacherQuestion question) => folds == 0 ? FittedOnAll(question) : OutOfFold(question);

    private TeacherAnswer FittedOnAll(TeacherQuestion question)
    {
        question.Channel.Info($"Fitting the teacher.");
        var model = estimator.Fit(question.Data);
        return TeacherAnswer.OfRecord(score.Ask(model, question.Data, question), model, question);
    }

    private TeacherAnswer OutOfFold(TeacherQuestion question)
    {
        var ids = new List<RowId>();
        using var scope = NewDisposeScope();
        var parts = new List<Tensor>();
        var fold = 0;
        foreach (var split in question.Context.Data.CrossValidationSplit(question.Data, folds, seed: question.Seeds.Integer("folds")))
        {
            question.Options.CancellationToken.ThrowIfCancellationRequested();
            question.Channel.Info($"Fitting the teacher on fold {++fold} of {folds}.");
            var model = estimator.Fit(split.TrainSet);
            using var record = score.Ask(model, split.TestSet, question, $" of fold {fold}");
            ids.AddRange(record.RowIds);
            parts.Add(record.Logits.alias());
        }

        return TeacherAnswer.OfRecord(new TeacherRecord(ids, cat(parts).DetachFromDisposeScope()), null, question);
    }
}
