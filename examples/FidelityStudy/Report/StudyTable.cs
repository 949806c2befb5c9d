using System.Text;

namespace FidelityStudy.Report;

/// <summary>The table at the end: a part for each question, in 80 columns. study.json has the figures of every run.</summary>
internal static class StudyTable
{
    private const string Explanation = """
        Mean ± standard deviation over the seeds. Agree: share of the rows that the
        student learnt from (train), or that nobody saw (test), in %, for which
        student and teacher name the same class. More: than students by KD at the same
        temperature, or of the labelled half, on the test rows, seed by seed. Accuracy
        and KL(teacher ‖ student), in nats, on the test rows. Students that start at
        their teacher take smaller steps; how each was taught is in study.json.
        """;

    public static string Format(IReadOnlyList<TrialResult> results)
    {
        var byName = results.ToDictionary(result => result.Trial.Name);
        var text = new StringBuilder();
        foreach (var question in results.GroupBy(result => result.Trial.Question))
        {
            text.AppendLine().AppendLine(question.Key);
            text.AppendLine(Line("", "agree, train", "agree, test", "more", "accuracy", "KL"));
            foreach (var result in question)
            {
                text.AppendLine(Line(
                    result.Trial.Name,
                    result.TrainAgreement.ToString("0.00"),
                    result.TestAgreement.ToString("0.00"),
                    result.Trial.Against == result.Trial.Name ? "" : result.AgreementBeyond(byName[result.Trial.Against]).ToString("+0.00;-0.00", "0.00"),
                    result.Accuracy.Mean.ToString("0.00"),
                    result.Divergence.Mean.ToString("0.000")));
            }
        }

        return text.AppendLine().Append(Explanation).ToString();
    }

    private static string Line(string name, string train, string test, string more, string accuracy, string divergence) =>
        $"  {name,-21} {train,13} {test,13} {more,13} {accuracy,8} {divergence,5}".TrimEnd();
}
