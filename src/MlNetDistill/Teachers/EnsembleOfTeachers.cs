using Microsoft.ML;
using MlNetDistill.Core;
using MlNetDistill.Diagnostics;
using MlNetDistill.Networks;

namespace MlNetDistill.Teachers;

/// <summary>Several teachers as one: the logarithm of the mean of their probabilities.</summary>
internal sealed class EnsembleOfTeachers(IReadOnlyList<(Teacher Teacher, double Weight)> members) : CompositeTeacher([.. members.Select(m => m.Teacher)])
{
    internal override string Name => $"an ensemble of {members.Count}";

    internal override IEnumerable<string> Settings => [.. base.Settings, $"weights {NumberText.Join(members.Select(m => m.Weight))}"];

    // The mean cannot be exported as an ML.NET model.
    internal override IEnumerable<NetworkSpec> ExportedNetworks => [];

    internal override IEnumerable<Anchor> PlanAnchors(TeacherRequest request)
    {
        // Members that exist are prepared once now: a missing file must not be found only after another member was trained.
        foreach (var (member, _) in members)
            _ = member.PlanAnchors(request).ToList();
        return [PlanAnchor("ensemble", 1, new OutputShapes(request.Columns.Classes.Count))];
    }

    internal override IEnumerable<string> Validate()
    {
        if (members.Count == 0)
            yield return "An ensemble needs at least one teacher.";
        else if (members.Any(m => !(m.Weight >= 0 && double.IsFinite(m.Weight))) || members.All(m => m.Weight == 0))
            yield return $"An ensemble's weights must be at least 0, one of them above; were {NumberText.Join(members.Select(m => m.Weight))}.";
        foreach (var (member, i) in members.Select((m, i) => (m.Teacher, i)))
        {
            if (member is null)
                yield return $"Member {i + 1} of the ensemble is null.";
            else if (member.IsRoute)
                yield return $"Member {i + 1} of the ensemble is a route; take one teacher for it.";
            foreach (var fault in member?.Validate() ?? [])
                yield return $"Member {i + 1} of the ensemble: {fault}";
        }
    }

    internal override DataViewSchema.Column? ClassesIn(DataViewSchema schema) =>
        members.Select(m => m.Teacher.ClassesIn(schema)).FirstOrDefault(classes => classes is not null);

    internal override PreparedTeacher PrepareForFit(TeacherRequest request)
    {
        var prepared = PrepareAll(members, (member, i) =>
        {
            request.Channel.Info($"Member {i + 1} of the ensemble: {member.Teacher.Name}.");
            // The role seeds the weights: networks of one kind must not begin with the same ones.
            return member.Teacher.PrepareForFit(request with { Role = $"{request.Role} {i + 1}", CheckpointName = $"{request.CheckpointName} {i + 1}" });
        });
        var teacher = new EnsembleTeacher([.. prepared.Select(p => p.Teacher)], [.. members.Select(m => m.Weight)], request.TeacherCaching);
        return new PreparedTeacher([new Anchor("ensemble", 1, teacher)], null) { Owned = prepared };
    }
}
